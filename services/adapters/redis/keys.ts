/** Every key, channel and key prefix that is ours; BullMQ's own start with `${prefix}:jobs`. */
export type Keys = ReturnType<typeof keysOf>;

export const keysOf = (prefix: string) =>
  ({
    /** Hash: stream id → definition. */
    streams: `${prefix}:streams`,
    /** Sorted set: stream id → when it was last used, in milliseconds of Redis' clock. */
    touched: `${prefix}:touched`,
    /** Hash: stream id → the open session of the stream. */
    open: `${prefix}:open`,
    /** Hash: session id → viewer on record. */
    viewers: `${prefix}:viewers`,
    /** Start of one set per watched stream: its session ids. */
    watching: `${prefix}:watching:`,
    /** Set: epochs of api processes that may have viewers on record. */
    nodes: `${prefix}:nodes`,
    /** Start of one expiring key per living api process. */
    node: `${prefix}:node:`,
    /** Hash: endpoint id → webhook endpoint. */
    endpoints: `${prefix}:endpoints`,
    /** Stream: the event log, one JSON document in field `e` per entry. */
    events: `${prefix}:events`,
    /** String: id of the worker that dispatches events; expires. */
    dispatcher: `${prefix}:dispatcher`,
    /** String: position in the event log up to which every delivery is queued. */
    dispatched: `${prefix}:dispatched`,
    /** Set: endpoint ids that have a queue. */
    queues: `${prefix}:queues`,
    /** Pub/sub channel: which record has changed. */
    changes: `${prefix}:changes`,
    /** Start of one expiring key per worker that transcodes. */
    transcoder: `${prefix}:transcoder:`,
    /** Set: ids of workers that may have such a key. */
    transcoders: `${prefix}:transcoders`,
    /** Start of one expiring key per transcoded stream: where the process is that has its runs. */
    runs: `${prefix}:runs:`,
    /** Start of one expiring key per stream: where the process is that serves its HLS. */
    hlsOwners: `${prefix}:hls-owners:`,
    /** Sorted set: digests of viewings by signed links → when they began. */
    begun: `${prefix}:begun`,
    /** Start of three sorted sets per provider account with a limit: `slot-scripts.ts`. */
    provider: `${prefix}:provider:`,
    /** Hash: name → transcode profile of an app's own. */
    profiles: `${prefix}:profiles`,
    /** String: the key that workers and api processes know each other by. */
    runSecret: `${prefix}:run-secret`,
    /** Hash: stream key id → stream key, its digest only. */
    streamKeys: `${prefix}:stream-keys`,
    /** String: the secrets that handles are sealed with, newest first, separated by commas. */
    secret: `${prefix}:secret`,
  }) as const;

/** What scripts keep beside the viewers on record: `presence-script.ts`. */
export const presenceKeysOf = (prefix: string) =>
  ({
    /** Hash: stream id and client id → the session ids of that viewer. */
    present: `${prefix}:present`,
    /** Hash: what sessions were served. */
    counts: `${prefix}:counts`,
    /** Hash: stream id → who told its last switch of source, when, and which it was. */
    switches: `${prefix}:switches`,
  }) as const;

/** Hash: network id → network, as it was ordered and as it is. */
export const networksKey = (prefix: string): string => `${prefix}:networks`;

/** Start of one expiring key per stream: the numbers that its viewers have seen in HLS. */
export const hlsNumbersKey = (prefix: string): string => `${prefix}:hls-numbers:`;
