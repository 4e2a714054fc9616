import type { IncomingMessage, ServerResponse } from 'node:http';

/** Addresses below this are the tool's own. */
const CONTROL_PATH = '/_faultd/';
const MOST_BYTES = 64 * 1024;

/** What the control addresses can ask for. */
export type Controlled = {
  readonly stats: () => unknown;
  readonly faults: () => unknown;
  /** @throws Error with what is wrong, in words for the caller. */
  readonly apply: (words: string) => void;
  readonly clear: (path?: string) => number;
};

/**
 * Answers requests for `/_faultd/` from this machine; from elsewhere there is no such address.
 * Returns false when the request is for the provider.
 */
export function answerControl(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (!request.url?.startsWith(CONTROL_PATH)) return false;
  void answer(request, response, controlled).catch(() => response.destroy());
  return true;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  controlled: Controlled,
): Promise<void> {
  const { status, body } = isLoopback(request.socket.remoteAddress)
    ? await carryOut(request, controlled)
    : NOT_FOUND;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body, undefined, 2)}\n`);
}

type Reply = { readonly status: number; readonly body: unknown };

const NOT_FOUND: Reply = { status: 404, body: { error: 'no such address' } };

async function carryOut(request: IncomingMessage, controlled: Controlled): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://faultd');
  switch (`${request.method} ${url.pathname.slice(CONTROL_PATH.length)}`) {
    case 'GET stats':
      return { status: 200, body: controlled.stats() };
    case 'GET faults':
      return { status: 200, body: controlled.faults() };
    case 'POST faults':
      return applyAll(await bodyOf(request), controlled);
    case 'DELETE faults': {
      const cleared = controlled.clear(url.searchParams.get('path') ?? undefined);
      return { status: 200, body: { cleared } };
    }
    default:
      return NOT_FOUND;
  }
}

/** Takes the body as `{"fault": "stall /live/a.ts for 5s"}`, or as those words alone. */
function applyAll(body: string, controlled: Controlled): Reply {
  try {
    controlled.apply(wordsOf(body));
    return { status: 200, body: controlled.faults() };
  } catch (error) {
    return { status: 400, body: { error: error instanceof Error ? error.message : String(error) } };
  }
}

function wordsOf(body: string): string {
  if (!body.trimStart().startsWith('{')) return body;
  const { fault } = JSON.parse(body) as { readonly fault?: unknown };
  if (typeof fault !== 'string') throw new Error('expected: {"fault": "stall /live/a.ts for 5s"}');
  return fault;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += part;
    if (text.length > MOST_BYTES) throw new Error('A fault of more than 64 KiB.');
  }
  return text;
}

const isLoopback = (address = ''): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);
