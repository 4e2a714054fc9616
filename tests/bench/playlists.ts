/** The URL of the first segment that a playlist lists. */
export async function firstSegmentOf(playlist: string): Promise<string> {
  const text = await (await fetch(playlist)).text();
  const line = text
    .split(/\r?\n/)
    .find((candidate) => candidate !== '' && !candidate.startsWith('#'));
  return new URL(line ?? '', playlist).href;
}
