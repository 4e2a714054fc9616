import { boxesIn } from './box.ts';
import type { Box } from './box.ts';

/** How far into a sample entry its own boxes begin (ISO/IEC 14496-12 §12.1.3, §12.2.3). */
const VISUAL_ENTRY_BYTES = 78;
const AUDIO_ENTRY_BYTES = 28;

const hex = (bytes: Buffer): string => bytes.toString('hex');
const two = (value: number): string => String(value).padStart(2, '0');

/**
 * The name that `CODECS` has for what a sample entry describes (RFC 6381, and the bindings of each
 * codec); the entry's own four letters where nothing more is known.
 */
export function codecName(entry: Box): string {
  const isAudio = AUDIO_ENTRIES.has(entry.type);
  const inner = boxesIn(entry.body.subarray(isAudio ? AUDIO_ENTRY_BYTES : VISUAL_ENTRY_BYTES));
  for (const { type, body } of inner) {
    const name = NAMES[type]?.(entry.type, body);
    if (name !== undefined) return name;
  }
  return PLAIN[entry.type] ?? entry.type;
}

const AUDIO_ENTRIES = new Set(['mp4a', 'ac-3', 'ec-3', 'Opus', 'fLaC', '.mp3']);
const PLAIN: Readonly<Record<string, string>> = { Opus: 'opus', '.mp3': 'mp4a.40.34' };

type Name = (entry: string, body: Buffer) => string | undefined;

const NAMES: Readonly<Record<string, Name>> = {
  avcC: (entry, body) => `${entry}.${hex(body.subarray(1, 4))}`,
  hvcC: hevcName,
  av1C: av1Name,
  vpcC: (_entry, body) =>
    `vp09.${two(body[4] ?? 0)}.${two(body[5] ?? 0)}.${two((body[6] ?? 0) >> 4)}`,
  esds: (entry, body) => mpeg4Name(entry, body),
};

/** ISO/IEC 14496-15 Annex E.3. */
function hevcName(entry: string, body: Buffer): string {
  const profile = body[1] ?? 0;
  const space = ['', 'A', 'B', 'C'][profile >> 6] ?? '';
  const compatible = reversed32(body.readUInt32BE(2)).toString(16);
  const tier = (profile & 0x20) === 0 ? 'L' : 'H';
  const constraints = [...body.subarray(6, 12)];
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    entry,
    `${space}${profile & 0x1f}`,
    compatible,
    `${tier}${body[12] ?? 0}`,
    ...constraints.map((byte) => byte.toString(16)),
  ].join('.');
}

function reversed32(value: number): number {
  let out = 0;
  for (let bit = 0; bit < 32; bit += 1) out = out * 2 + ((value >>> bit) & 1);
  return out;
}

/** AV1 in ISOBMFF §5. */
function av1Name(entry: string, body: Buffer): string {
  const [, levels = 0, flags = 0] = body;
  const tier = (flags & 0x80) === 0 ? 'M' : 'H';
  const depth = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12;
  return `${entry}.${levels >> 5}.${two(levels & 0x1f)}${tier}.${two(depth)}`;
}

const ES = 3;
const DECODER_CONFIG = 4;
const SPECIFIC_INFO = 5;
const MPEG4_AUDIO = 0x40;

/** ISO/IEC 14496-1 §7.2.6: descriptors within each other, each with a tag and a size. */
function mpeg4Name(entry: string, body: Buffer): string | undefined {
  // Version and flags stand before the first; a number and flags before what it holds.
  const config = descriptor(descriptor(body.subarray(4), ES)?.subarray(3), DECODER_CONFIG);
  if (config === undefined) return undefined;
  const object = config[0] ?? 0;
  const info = descriptor(config.subarray(13), SPECIFIC_INFO);
  if (object !== MPEG4_AUDIO || info === undefined) return `${entry}.${object.toString(16)}`;
  const first = (info[0] ?? 0) >> 3;
  const kind = first === 31 ? 32 + ((info.readUInt16BE(0) >> 5) & 0x3f) : first;
  return `${entry}.40.${kind}`;
}

/** What is in the descriptor that begins here; undefined when it is another. */
function descriptor(bytes: Buffer | undefined, wanted: number): Buffer | undefined {
  if (bytes === undefined || bytes[0] !== wanted) return undefined;
  let size = 0;
  let at = 1;
  for (; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    size = size * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return bytes.subarray(at + 1, at + 1 + size);
}
