/**
 * Options as the text of a configuration, which yt-dlp reads with the rules of a shell: within
 * single quotes everything stands for itself.
 */
export const configText = (options: readonly string[]): string =>
  options.map((option) => `'${option.replaceAll("'", `'"'"'`)}'\n`).join('');
