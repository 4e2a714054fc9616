import { pour, sourceOf } from '#segments';
import type { Outlet, PourOptions } from '#segments';

/**
 * Sends bytes that are all there, and ends `outlet`; destroys it when its reader takes nothing for
 * too long, or is told to go. Never rejects.
 * @returns whether the reader has them all.
 */
export async function sendBytes(
  bytes: Buffer,
  outlet: Outlet,
  options: PourOptions,
): Promise<boolean> {
  const whole = { first: 0, last: undefined };
  const { kind } = await pour(
    sourceOf({ bytes, endBytes: bytes.length }),
    { part: whole, outlet },
    options,
  );
  if (kind === 'done') outlet.end();
  else outlet.destroy();
  return kind === 'done';
}
