const NAMES =
  /^(?:PATH|LANG|LC_\w+|LD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE)$/;

/** What programs of others see of our environment, where our own secrets are, with `more`. */
export function passedEnvironment(more: RegExp = /^$/): Record<string, string> {
  // oxlint-disable-next-line node/no-process-env -- handed on by name, not read.
  const entries = Object.entries(process.env).filter(
    ([name]) => NAMES.test(name) || more.test(name),
  );
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']));
}
