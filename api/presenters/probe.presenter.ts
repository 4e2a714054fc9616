import type { ProbeResult } from '#api/deps';

/** The answer to `POST /test-connection`. */
export const presentProbe = (url: string, { success, message, statusCode }: ProbeResult) => ({
  success,
  message,
  ...(statusCode === undefined ? {} : { status_code: statusCode }),
  url_tested: url,
});
