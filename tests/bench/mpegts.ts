/**
 * Measures what looking at packets and splicing costs, per packet and as a share of one core at
 * 8 Mbit/s: `node tests/bench/mpegts.ts`. No other program is involved.
 */
import { PacketAligner, Splicer, TsAnalyser } from '#mpegts';
import { spliceSource } from '../support/splice-media.ts';

const PACKET_BYTES = 188;
const CHUNK_BYTES = 65_536;
const PACKETS_PER_SECOND = 8_000_000 / 8 / PACKET_BYTES;
const ROUNDS = 40;
const WARM_UP = 8;

type Subject = (chunk: Buffer) => void;

const file = await spliceSource({
  seconds: 6,
  kilobitsPerSecond: 7800,
  picture: 'mandelbrot',
  bFrames: 2,
});
const chunks = chunksOf(file);
const packets = chunks.reduce((sum, chunk) => sum + Math.floor(chunk.length / PACKET_BYTES), 0);

const subjects: Readonly<Record<string, () => Subject>> = {
  'align only': aligning,
  'analyse only': analysing,
  'splicer, first source': passing,
  'splicer, after a switch': rewriting,
};

console.log(`Node ${process.version}, ${packets} packets, best of ${ROUNDS} rounds\n`);
console.log('| what | ns per packet | % of a core at 8 Mbit/s | bytes allocated per packet |');
console.log('| --- | ---: | ---: | ---: |');
for (const [name, make] of Object.entries(subjects)) console.log(row(name, make()));
console.log(`\nHeld back by the first source: ${heldKiB()} KiB at most.`);

function row(name: string, subject: Subject): string {
  let best = Infinity;
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    const before = process.hrtime.bigint();
    for (const chunk of chunks) subject(chunk);
    const nanoseconds = Number(process.hrtime.bigint() - before) / packets;
    if (round >= WARM_UP) best = Math.min(best, nanoseconds);
  }
  const heapBefore = process.memoryUsage().heapUsed;
  for (const chunk of chunks) subject(chunk);
  const allocated = Math.max(0, process.memoryUsage().heapUsed - heapBefore) / packets;
  const percent = (best * PACKETS_PER_SECOND) / 1e7;
  return `| ${name} | ${best.toFixed(0)} | ${percent.toFixed(3)} | ${allocated.toFixed(1)} |`;
}

function aligning(): Subject {
  const aligner = new PacketAligner();
  return (chunk) => void aligner.align(chunk);
}

function analysing(): Subject {
  const analyser = new TsAnalyser();
  const aligner = new PacketAligner();
  return (chunk) => analyser.push(aligner.align(chunk));
}

/** Each round is a source of its own, so that its times never leap. */
function passing(): Subject {
  let splicer = new Splicer();
  let aligner = new PacketAligner();
  return (chunk) => {
    if (chunk === chunks[0]) {
      splicer = new Splicer();
      aligner = new PacketAligner();
    }
    splicer.push(aligner.align(chunk));
  };
}

function rewriting(): Subject {
  const splicer = new Splicer();
  let aligner = new PacketAligner();
  return (chunk) => {
    if (chunk === chunks[0]) {
      splicer.switchSource();
      aligner = new PacketAligner();
    }
    splicer.push(aligner.align(chunk));
  };
}

function heldKiB(): number {
  const splicer = new Splicer();
  const aligner = new PacketAligner();
  let most = 0;
  for (const chunk of chunks) {
    splicer.push(aligner.align(chunk));
    most = Math.max(most, splicer.heldPackets);
  }
  return Math.round((most * PACKET_BYTES) / 1024);
}

function chunksOf(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    parts.push(bytes.subarray(at, at + CHUNK_BYTES));
  }
  return parts;
}
