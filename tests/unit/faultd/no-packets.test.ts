import { describe, expect, it } from 'vitest';
import { PacketReader } from '../../../scripts/faultd.d/watch/packet-reader.ts';
import { noPackets } from '../../../scripts/faultd.d/provider/no-packets.ts';

describe.each(['page', 'noise'] as const)('what comes in the place of packets (%s)', (what) => {
  it('is as long as they would be, and the same each time', () => {
    for (const length of [0, 188, 200_000]) expect(noPackets(what, length)).toHaveLength(length);
    expect(noPackets(what, 5000).equals(noPackets(what, 5000))).toBe(true);
  });

  it('is never taken for packets', () => {
    expect(new PacketReader().read(noPackets(what, 200_000))).toHaveLength(0);
  });
});
