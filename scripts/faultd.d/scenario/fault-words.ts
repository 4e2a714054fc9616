import type { Disturbance } from '../provider/disturbance.ts';
import {
  connectionLimit,
  endlessBody,
  eofAfter,
  frozen,
  garbageHead,
  gzip,
  html200,
  notHttp,
  redirectLoop,
  resetAfter,
  slowBody,
  slowHeaders,
  stallAfter,
  status,
  truncateAfter,
  wrongLength,
  type Fault,
} from '../provider/faults.ts';
import type { Action, Order } from './action.ts';
import { parseBytes, parseCount, parseRate, parseShare, parseTimeMs } from './units.ts';

type Word = {
  /** What follows the word, in words for people. */
  readonly takes: readonly string[];
  readonly make: (first: string, second: string) => Action;
};

const request = (fault: Fault): Action => ({ kind: 'request', fault });
const disturb = (disturbance: Exclude<Disturbance, { kind: 'card' }>): Action => ({
  kind: 'disturb',
  disturbance,
});
const plain = (action: Action): Word => ({ takes: [], make: () => action });
const one = (takes: string, make: Word['make']): Word => ({ takes: [takes], make });

/** Every fault that a scenario can name; `docs/faultd.md` has a row for each. */
export const FAULT_WORDS: Readonly<Record<string, Word>> = {
  stall: plain(disturb({ kind: 'stall' })),
  throttle: one('rate', (rate) => disturb({ kind: 'rate', bytesPerSecond: parseRate(rate) })),
  loop: one('time', (time) => disturb({ kind: 'loop', ms: parseTimeMs(time) })),
  card: one('clip', (clip) => ({ kind: 'card', clip })),
  'stop-pcr': plain(disturb({ kind: 'still-clock' })),
  'lose-packets': one('share', (share) =>
    disturb({ kind: 'lose-packets', share: parseShare(share) }),
  ),
  damage: one('share', (share) => disturb({ kind: 'damage', share: parseShare(share) })),
  'lose-audio': plain(disturb({ kind: 'lose-track', track: 'audio' })),
  'lose-video': plain(disturb({ kind: 'lose-track', track: 'video' })),
  scramble: plain(disturb({ kind: 'scramble' })),
  page: plain(disturb({ kind: 'no-packets', what: 'page' })),
  noise: plain(disturb({ kind: 'no-packets', what: 'noise' })),
  reset: plain({ kind: 'cut', how: 'reset' }),
  truncate: plain({ kind: 'cut', how: 'truncate' }),
  eof: plain({ kind: 'cut', how: 'eof' }),
  'stall-after': one('size', (size) => request(stallAfter(parseBytes(size)))),
  'reset-after': one('size', (size) => request(resetAfter(parseBytes(size)))),
  'truncate-after': one('size', (size) => request(truncateAfter(parseBytes(size)))),
  'eof-after': one('size', (size) => request(eofAfter(parseBytes(size)))),
  status: one('status', (code) => request(status(parseStatus(code)))),
  html: plain(request(html200())),
  'slow-headers': one('time', (time) => request(slowHeaders(parseTimeMs(time)))),
  'slow-body': one('time', (time) => request(slowBody(parseTimeMs(time)))),
  'redirect-loop': plain(request(redirectLoop())),
  'not-http': plain(request(notHttp())),
  garbage: one('size', (size) => request(garbageHead(parseBytes(size)))),
  endless: plain(request(endlessBody())),
  'wrong-length': one('size', (size) => request(wrongLength(parseBytes(size)))),
  gzip: plain(request(gzip())),
  freeze: plain(request(frozen())),
  limit: {
    takes: ['count', 'status or kill-oldest'],
    make: (count, answer) => request(connectionLimit(parseCount(count), parseAnswer(answer))),
  },
  refuse: plain({ kind: 'refuse' }),
};

/** `458` or `kill-oldest`. @throws Error with what was expected. */
export const parseAnswer = (text: string): number | 'kill-oldest' =>
  text === 'kill-oldest' ? text : parseStatus(text);

function parseStatus(text: string): number {
  const code = parseCount(text);
  if (code < 200 || code > 599) throw new Error(`${text} is not a status from 200 to 599`);
  return code;
}

/**
 * Reads `<fault> [<argument>…] <path> [for <time>]`, such as `status 503 /live/a.ts for 10s`.
 * @throws Error with what was expected.
 */
export function parseOrder(text: string): Order {
  const [name = '', ...rest] = text.trim().split(/\s+/);
  const word = findWord(name);
  const [path = '', ...end] = rest.slice(word.takes.length);
  if (!/^[/*]/.test(path) || !isLength(end)) throw new Error(usageOf(name, word));
  const action = word.make(...firstTwo(rest));
  const forMs = end[1] === undefined ? undefined : parseTimeMs(end[1]);
  if (action.kind === 'refuse') assertRefusable(path, forMs);
  return { words: text.trim(), action, path, forMs };
}

const firstTwo = ([first = '', second = '']: readonly string[]) => [first, second] as const;

function findWord(name: string): Word {
  const word = Object.hasOwn(FAULT_WORDS, name) ? FAULT_WORDS[name] : undefined;
  if (!word) throw new Error(`${name || 'nothing'} is not a fault`);
  return word;
}

/** Nothing, or `for` and one word more. */
const isLength = (end: readonly string[]): boolean =>
  end.length === 0 || (end.length === 2 && end[0] === 'for');

const usageOf = (name: string, { takes }: Word): string =>
  `expected: ${[name, ...takes.map((what) => `<${what}>`)].join(' ')} <path> [for <time>]`;

/** Nobody could call it back: the control addresses are refused as well. */
function assertRefusable(path: string, forMs: number | undefined): void {
  if (path !== '*' || forMs === undefined) {
    throw new Error('refuse is for everything and for a time: refuse * for 5s');
  }
}
