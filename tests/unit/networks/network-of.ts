import { networkIdOf } from '#networks';
import type { Network, NetworkId, Programme, StartRequest } from '#networks';

export const ID = networkIdOf('net1') as NetworkId;

export const programme = (more: Partial<Programme> = {}): Programme => ({
  streamUrl: 'http://media.example/film.mkv',
  headers: {},
  seekSeconds: 0,
  durationSeconds: 0,
  segmentSeconds: 6,
  listSize: 20,
  encoding: null,
  audioLanguage: null,
  subtitles: null,
  callbackUrl: 'http://app.example/callback',
  ...more,
});

export const startRequest = (more: Partial<StartRequest> = {}): StartRequest => ({
  id: ID,
  programme: programme(),
  next: null,
  metadata: null,
  firstNumber: 0,
  addsDiscontinuity: false,
  isDvr: false,
  folder: '/data/broadcast_net1',
  ...more,
});

/** One that a worker runs. */
export const running = (more: Partial<Network> = {}): Network => ({
  v: 1,
  id: ID,
  order: 'run',
  orderNumber: 1,
  turn: 1,
  state: 'running',
  programme: programme(),
  next: null,
  metadata: null,
  isDvr: false,
  folder: '/data/broadcast_net1',
  numbering: { asked: 0, manner: 'fresh' },
  lastNumber: 4,
  startedAtMs: 1_000,
  playedMs: 30_000,
  bytesWritten: 5_000,
  pid: 77,
  error: null,
  failedAtMs: [],
  epoch: 3,
  lease: { epoch: 3, untilMs: 20_000 },
  callbacks: [],
  owed: null,
  ...more,
});
