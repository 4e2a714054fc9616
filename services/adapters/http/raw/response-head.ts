import { UpstreamError } from '#kernel/app-error';

export type ResponseHead = {
  readonly status: number;
  /** Lower-case names; repeated ones joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  /** Another answer may follow on the same connection (RFC 9112 §9.3). */
  readonly isPersistent: boolean;
};

export type FoundHead = { readonly head: ResponseHead; readonly rest: Buffer };

const MAX_HEAD_BYTES = 64 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** Collects bytes until a final response head is complete; interim (1xx) answers are passed over. */
export class HeadReader {
  #collected: Buffer = Buffer.alloc(0);

  /**
   * @param bytes - Lent for this call, except that `rest` of the answer may refer to it.
   * @throws UpstreamError `UPSTREAM_PROTOCOL` as soon as this can be no HTTP answer.
   */
  push(bytes: Buffer): FoundHead | undefined {
    let text = this.#collected.length === 0 ? bytes : Buffer.concat([this.#collected, bytes]);
    for (;;) {
      text = withoutLeadingLines(text);
      assertBeginning(text);
      const end = endOfHead(text);
      if (end === undefined) return this.#wait(text, bytes);
      const head = parseHead(text.toString('latin1', 0, end));
      text = text.subarray(end);
      if (!isInterim(head.status)) return { head, rest: text };
    }
  }

  #wait(text: Buffer, lent: Buffer): undefined {
    if (text.length > MAX_HEAD_BYTES) throw notHttp('The head of the answer is too long.');
    this.#collected = text.buffer === lent.buffer ? Buffer.from(text) : text;
  }
}

/** 101 is final: what follows it is not HTTP, and nobody asked for that. */
function isInterim(status: number): boolean {
  if (status === 101) throw notHttp('The provider switched to another protocol.');
  return status < 200;
}

// Some servers end the previous answer's body with an empty line too many.
function withoutLeadingLines(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at += 1;
  return at === 0 ? bytes : bytes.subarray(at);
}

const BEGINNINGS = ['HTTP/1.', 'ICY '];

function assertBeginning(bytes: Buffer): void {
  const text = bytes.toString('latin1', 0, 7);
  if (BEGINNINGS.some((one) => text.startsWith(one) || one.startsWith(text))) return;
  throw notHttp('The provider did not answer in HTTP/1.');
}

/** Where the body begins; lines may end with a bare LF (RFC 9112 §2.2). */
function endOfHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (at >= MAX_HEAD_BYTES) return undefined;
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return undefined;
}

// `ICY 200 OK` comes from Shoutcast servers, and is HTTP/1.0 in all but the name.
const STATUS_LINE = /^(?:HTTP\/1\.\d|ICY) +(\d{3})(?: .*)?$/;

/**
 * Reads a response head, its last blank line included.
 * @throws UpstreamError `UPSTREAM_PROTOCOL` when its first line is not a status line.
 */
export function parseHead(text: string): ResponseHead {
  // RFC 9112 §5.2: a folded line continues the one before.
  const [first = '', ...lines] = text.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const status = Number(STATUS_LINE.exec(first.trimEnd())?.[1] ?? 0);
  if (status < 100) throw notHttp('The provider answered without a status.');
  const headers = new Map<string, string>();
  for (const line of lines) addHeader(headers, line);
  return { status, headers, isPersistent: isPersistent(first, headers) };
}

function isPersistent(statusLine: string, headers: ReadonlyMap<string, string>): boolean {
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  if (/\bclose\b/.test(connection)) return false;
  return statusLine.startsWith('HTTP/1.1') || /\bkeep-alive\b/.test(connection);
}

/** Lines that are no header (a server's warnings, say) are passed over. */
function addHeader(headers: Map<string, string>, line: string): void {
  const colon = line.indexOf(':');
  if (colon < 1) return;
  const name = line.slice(0, colon).trim().toLowerCase();
  const value = line.slice(colon + 1).trim();
  const before = headers.get(name);
  headers.set(name, before === undefined ? value : `${before}, ${value}`);
}

const notHttp = (message: string): UpstreamError =>
  new UpstreamError('UPSTREAM_PROTOCOL', { message });
