import { Tables } from '../../scripts/faultd.d/watch/tables.ts';
import { readPacket } from '../../scripts/faultd.d/ts-tools.ts';
import { WholeUnits } from '../../scripts/faultd.d/watch/whole-units.ts';
import { decode } from './players.ts';

/** A viewer that leaves in the middle of a picture has not been sent a damaged one. */
export function wholePictures(media: Buffer): Buffer {
  const tables = new Tables();
  const units = new WholeUnits(tables);
  const out: Buffer[] = [];
  for (let at = 0; at + 188 <= media.length; at += 188) {
    const packet = media.subarray(at, at + 188);
    tables.see(packet, readPacket(packet));
    out.push(units.take(packet));
  }
  return Buffer.concat(out);
}

/** What a decoder says of a transport stream whose viewer has left. */
export const complaintsOf = async (media: Buffer): Promise<readonly string[]> =>
  (await decode(wholePictures(media))).complaints;
