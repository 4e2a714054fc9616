import type { ConnectionUse, SlotHolder } from '#upstream';

/** Who holds a slot, in one word: what stands in the store answers why it is held. */
export const slotId = ({ node, use, streamId, sinceMs }: SlotHolder, count: number): string =>
  [node, count, use, streamId, sinceMs].join('|');

export function holderOf(id: string): SlotHolder {
  const [node = '', , use = '', streamId = '', sinceMs = ''] = id.split('|');
  return { node, use: use as ConnectionUse, streamId, sinceMs: Number(sinceMs) };
}
