const HEAD_BYTES = 8;
const LARGE_HEAD_BYTES = 16;

/** One box of an ISO base media file (ISO/IEC 14496-12 §4.2). */
export type Box = {
  readonly type: string;
  /** All of it, its head included. */
  readonly bytes: Buffer;
  /** What is behind the head. */
  readonly body: Buffer;
};

/** How large the box that begins here says it is; undefined while its head has not come. */
export function boxBytes(bytes: Buffer): number | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const size = bytes.readUInt32BE(0);
  if (size !== 1) return size;
  return bytes.length < LARGE_HEAD_BYTES ? undefined : Number(bytes.readBigUInt64BE(HEAD_BYTES));
}

/** The four letters of the box that begins here. */
export const boxType = (bytes: Buffer): string => bytes.toString('latin1', 4, HEAD_BYTES);

/** The whole boxes that stand side by side here, up to the first that is none. */
export function boxesIn(bytes: Buffer): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const size = boxBytes(rest);
    if (size === undefined || size < HEAD_BYTES || size > rest.length) break;
    const head = rest.readUInt32BE(0) === 1 ? LARGE_HEAD_BYTES : HEAD_BYTES;
    boxes.push({
      type: boxType(rest),
      bytes: rest.subarray(0, size),
      body: rest.subarray(head, size),
    });
    at += size;
  }
  return boxes;
}

/** The first box that this way leads to. */
export function boxAt(bytes: Buffer, path: readonly string[]): Box | undefined {
  const [type, ...deeper] = path;
  const found = boxesIn(bytes).find((box) => box.type === type);
  return found === undefined || deeper.length === 0 ? found : boxAt(found.body, deeper);
}

/** A box of these parts. */
export function boxOf(type: string, parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(HEAD_BYTES + parts.reduce((sum, { length }) => sum + length, 0), 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, ...parts]);
}
