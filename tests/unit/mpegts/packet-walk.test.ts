import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TsAnalyser } from '#mpegts';
import type { Program } from '#mpegts';
import { OutputLedger } from '../../../services/mpegts/output-ledger.ts';
import { PacketView } from '../../../services/mpegts/packet.ts';
import { PacketWalk } from '../../../services/mpegts/packet-walk.ts';
import { PacketWriter } from '../../../services/mpegts/packet-writer.ts';
import { Rewriter } from '../../../services/mpegts/rewriter.ts';
import { patSection, pmtSection } from '../../../services/mpegts/tables.ts';
import { ClockMap } from '../../../services/mpegts/timeline.ts';
import {
  AUDIO_PID,
  H264_KEY,
  H264_PLAIN,
  PROGRAM,
  TsBuilder,
  VIDEO_PID,
  adtsFrame,
  packet,
  pes,
} from '../../support/ts-build.ts';

const PACKET_BYTES = 188;
const NULL_PID = 0x1fff;

/** Its PMT takes three packets. */
const LONG_PROGRAM = { ...PROGRAM, version: 1, descriptors: Buffer.alloc(400, 0x80) };

/** What the walk does with a stream: the run where it stands, or the one packet. */
type Steps = {
  readonly run: (walk: PacketWalk) => boolean;
  readonly one: (view: PacketView) => void;
};

function walkThrough(bytes: Buffer, { run, one }: Steps): void {
  const view = new PacketView();
  const walk = new PacketWalk();
  for (walk.begin(bytes); !walk.isOver;) {
    const packets = walk.packets > 0 && run(walk) ? walk.packets : 0;
    if (packets === 0) {
      view.read(bytes, walk.at);
      one(view);
    }
    walk.advance(Math.max(1, packets));
  }
}

const oneByOne = (bytes: Buffer, one: (view: PacketView) => void): void =>
  walkThrough(bytes, { run: () => false, one });

/** Runs as the walk finds them: where they begin and how many packets they have. */
function runsOf(bytes: Buffer): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  const run = ({ at, packets }: PacketWalk): boolean => runs.push([at / PACKET_BYTES, packets]) > 0;
  walkThrough(bytes, { run, one: () => {} });
  return runs;
}

const plain = (pid: number, counter: number): Buffer =>
  packet({ pid, counter, payload: Buffer.alloc(184, 1) });

const mediaUnit = fc.record({
  isVideo: fc.boolean(),
  isKey: fc.boolean(),
  isSized: fc.boolean(),
  /** Before what tells a keyframe, and behind it. */
  ahead: fc.nat(600),
  size: fc.nat(2500),
  step90k: fc.integer({ min: -4000, max: 9000 }),
});
const stretch = fc.oneof(
  { weight: 6, arbitrary: mediaUnit },
  { weight: 1, arbitrary: fc.constantFrom('tables' as const, 'long tables' as const) },
  { weight: 1, arbitrary: fc.record({ pid: fc.constant(NULL_PID), packets: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ pid: fc.integer({ min: 0xfe, max: 0x103 }), packets: fc.nat(5) }),
  },
);
type MediaUnit = typeof mediaUnit extends fc.Arbitrary<infer T> ? T : never;
type Stretch = typeof stretch extends fc.Arbitrary<infer T> ? T : never;

/** Headers and the first bytes behind them are where damage matters. */
const damages = fc.array(
  fc.record({ packet: fc.nat(400), byte: fc.integer({ min: 1, max: 20 }), value: fc.nat(255) }),
  { maxLength: 30 },
);

/** A stream of these stretches, damaged. */
const anyStream = fc
  .tuple(fc.array(stretch, { maxLength: 30 }), fc.integer({ min: 40_000, max: 95_000 }), damages)
  .map(([parts, firstPts90k, hits]) => {
    const builder = new TsBuilder().tables();
    let pts90k = firstPts90k;
    for (const part of parts) pts90k = addStretch(builder, part, pts90k);
    const { bytes } = builder;
    for (const hit of hits) {
      const at = hit.packet * PACKET_BYTES + hit.byte;
      if (at < bytes.length) bytes[at] = hit.value;
    }
    return bytes;
  });

function addStretch(builder: TsBuilder, part: Stretch, pts90k: number): number {
  if (part === 'tables') builder.tables();
  else if (part === 'long tables') builder.tables(LONG_PROGRAM);
  else if ('pid' in part) {
    for (let index = 0; index < part.packets; index += 1) {
      builder.packet({ pid: part.pid, payload: Buffer.alloc(184, 0xff) });
    }
  } else addUnit(builder, part, pts90k);
  return typeof part === 'object' && 'step90k' in part ? pts90k + part.step90k : pts90k;
}

function addUnit(builder: TsBuilder, unit: MediaUnit, pts90k: number): void {
  const { isVideo, isKey, isSized } = unit;
  const data = isVideo ? pictureOf(unit) : framesOf(unit);
  const bytes = pes({ pts90k, data, isSized, streamId: isVideo ? 0xe0 : 0xc0 });
  const first = isVideo && isKey ? { pcr90k: pts90k } : {};
  builder.unit(isVideo ? VIDEO_PID : AUDIO_PID, bytes, first);
}

const pictureOf = ({ isKey, ahead, size }: MediaUnit): Buffer =>
  Buffer.concat([
    Buffer.from('0000000109', 'hex'),
    Buffer.alloc(ahead, 0xf0),
    isKey ? H264_KEY : H264_PLAIN,
    Buffer.alloc(size, 7),
  ]);

const framesOf = ({ ahead, size }: MediaUnit): Buffer =>
  Buffer.concat([adtsFrame(ahead + 7, 1), adtsFrame(size + 7, 2), adtsFrame(300, 3)]);

const trackState = (ledger: OutputLedger) =>
  ledger.tracks.map(
    ({ pid, counter, isOpen, unitStart, openedAt, dts90k, nextDts90k, endPts90k }) => ({
      pid,
      counter,
      isOpen,
      unitStart,
      openedAt,
      dts90k,
      nextDts90k,
      endPts90k,
    }),
  );

const stateOf = (ledger: OutputLedger) => ({
  position: ledger.position,
  heldFrom: ledger.heldFrom,
  pcr27m: ledger.pcr27m,
  margin27m: ledger.margin27m,
  tracks: trackState(ledger),
});

function newLedger(): OutputLedger {
  const ledger = new OutputLedger();
  ledger.follow(PROGRAM);
  return ledger;
}

const tablesOf = (program: Program) => ({
  program,
  pat: patSection(program.programNumber, program.pmtPid),
  pmt: pmtSection(program),
});

/** A rewriter in the middle of a stream, with the times a second later and both PIDs moved. */
function newRewriter() {
  const ledger = new OutputLedger();
  const source = tablesOf(PROGRAM);
  const tracks = PROGRAM.tracks.map((track) => ({ ...track, pid: track.pid + 0x40 }));
  const program = { ...PROGRAM, pcrPid: VIDEO_PID + 0x40, tracks };
  ledger.follow(program);
  const rewriter = new Rewriter({
    plan: {
      layout: tablesOf(program),
      pids: new Map(PROGRAM.tracks.map(({ pid }) => [pid, pid + 0x40])),
      isSame: true,
    },
    source,
    ledger,
    offset90k: 90_000,
    startPts90k: 180_000,
    clock: new ClockMap(90_000, -1),
    marksDiscontinuity: false,
  });
  return { ledger, rewriter, writer: new PacketWriter(8) };
}

describe('a run', () => {
  it('is of one PID whose counters go on', () => {
    const packets = [14, 15, 0, 1].map((counter) => plain(VIDEO_PID, counter));
    const other = [3, 4].map((counter) => plain(AUDIO_PID, counter));
    expect(runsOf(Buffer.concat([...packets, ...other]))).toEqual([
      [0, 4],
      [4, 2],
    ]);
  });

  it('ends where a counter is out of turn', () => {
    const packets = [4, 5, 5, 6, 8].map((counter) => plain(VIDEO_PID, counter));
    expect(runsOf(Buffer.concat(packets))).toEqual([
      [0, 2],
      [2, 2],
      [4, 1],
    ]);
  });

  it('takes null packets whatever their counters are', () => {
    const packets = [0, 0, 7].map((counter) => plain(NULL_PID, counter));
    expect(runsOf(Buffer.concat(packets))).toEqual([[0, 3]]);
  });

  it.each([
    ['the start of a unit', { starts: true }],
    ['an adaptation field', { payload: Buffer.alloc(100) }],
    ['scrambled payload', { scrambled: true }],
    ['an error', { damaged: true }],
    ['no payload', { payload: Buffer.alloc(0) }],
  ])('has no packet with %s', (_what, spec) => {
    const payload = Buffer.alloc(184);
    const odd = packet({ pid: VIDEO_PID, counter: 2, payload, ...spec });
    const stream = Buffer.concat([plain(VIDEO_PID, 1), odd, plain(VIDEO_PID, 3)]);
    expect(runsOf(stream)).toEqual([
      [0, 1],
      [2, 1],
    ]);
  });

  it('has no packet of which the end is missing', () => {
    const stream = Buffer.concat([plain(VIDEO_PID, 1), plain(VIDEO_PID, 2)]).subarray(0, 300);
    expect(runsOf(stream)).toEqual([[0, 1]]);
  });
});

describe('whatever comes, runs tell what packets tell', () => {
  it('to the analyser', () => {
    fc.assert(
      fc.property(anyStream, (bytes) => {
        const [byPacket, byRun] = [new TsAnalyser(), new TsAnalyser()];
        byRun.push([bytes], 5);
        oneByOne(bytes, (view) => void byPacket.see(view, 5));
        expect(byRun.facts).toEqual(byPacket.facts);
      }),
    );
  });

  it('to the ledger of what was sent, after each run', () => {
    fc.assert(
      fc.property(anyStream, (bytes) => {
        const [byPacket, byRun] = [newLedger(), newLedger()];
        const seeBoth = (walk: PacketWalk): boolean => {
          byRun.seeRun(walk);
          const part = bytes.subarray(walk.at, walk.at + walk.packets * PACKET_BYTES);
          oneByOne(part, (view) => byPacket.see(view));
          expect(stateOf(byRun)).toEqual(stateOf(byPacket));
          return true;
        };
        const one = (view: PacketView): void => {
          for (const ledger of [byRun, byPacket]) ledger.see(view);
        };
        walkThrough(bytes, { run: seeBoth, one });
        expect(stateOf(byRun)).toEqual(stateOf(byPacket));
      }),
    );
  });

  it('to viewers, once they are rewritten', () => {
    fc.assert(
      fc.property(anyStream, (bytes) => {
        const [byPacket, byRun] = [newRewriter(), newRewriter()];
        oneByOne(bytes, (view) => byPacket.rewriter.write(view, byPacket.writer));
        walkThrough(bytes, {
          run(walk) {
            byRun.rewriter.writeRun(walk, byRun.writer);
            return true;
          },
          one: (view) => byRun.rewriter.write(view, byRun.writer),
        });
        expect(byRun.writer.written.equals(byPacket.writer.written)).toBe(true);
        expect(stateOf(byRun.ledger)).toEqual(stateOf(byPacket.ledger));
      }),
    );
  });
});
