import { PacketAligner, Splicer } from '#mpegts';

/** One source for a while: from and to are bytes, which need not be where packets begin. */
export type Stretch = { readonly bytes: Buffer; readonly from: number; readonly to: number };

export type Spliced = {
  readonly bytes: Buffer;
  /** Offsets in `bytes` where the splicer said that a joiner can begin. */
  readonly joins: readonly number[];
  /** PAT and PMT as the splicer gave them for each of `joins`. */
  readonly tables: readonly Buffer[];
  readonly heldPackets: number;
};

/** A repeatable source of numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}

/** Sends one stretch after the other through one splicer, in chunks of any length. */
export function spliceStretches(stretches: readonly Stretch[], random: () => number): Spliced {
  const splicer = new Splicer();
  const out: Buffer[] = [];
  const joins: number[] = [];
  const tables: Buffer[] = [];
  let length = 0;
  let heldPackets = 0;
  const take = (parts: readonly Buffer[]): void => {
    for (const join of splicer.joins) {
      joins.push(length + join.at);
      tables.push(join.tables);
    }
    for (const part of parts) {
      // Lent memory changes after the call, as a reader's buffer does.
      out.push(Buffer.from(part));
      length += part.length;
    }
    heldPackets = Math.max(heldPackets, splicer.heldPackets);
  };
  stretches.forEach(({ bytes, from, to }, index) => {
    if (index > 0) take(splicer.switchSource());
    const aligner = new PacketAligner();
    for (let at = from; at < to;) {
      const next = Math.min(to, at + 1 + Math.floor(random() * 16_384));
      const lent = Buffer.from(bytes.subarray(at, next));
      take(splicer.push(aligner.align(lent)));
      lent.fill(0);
      at = next;
    }
  });
  return { bytes: Buffer.concat(out), joins, tables, heldPackets };
}

/** `count` stretches of two sources in turn, each cut wherever chance has it. */
export function randomStretches(
  sources: readonly [Buffer, Buffer],
  count: number,
  random: () => number,
): readonly Stretch[] {
  return Array.from({ length: count }, (_, index) => {
    const bytes = index % 2 === 0 ? sources[0] : sources[1];
    const from = index === 0 ? 0 : Math.floor(bytes.length * 0.35 * random());
    const to = Math.floor(bytes.length * (0.6 + 0.35 * random()));
    return { bytes, from, to };
  });
}
