export const TICKS_PER_MS_27M = 27_000;
/** A program clock reference has a base of 33 bits at 90 kHz (ISO/IEC 13818-1 §2.4.2.2). */
const MODULO_27M = 2 ** 33 * 300;

/** How far `to` is ahead of `from`, the shorter way round; negative when behind. */
export function ahead27m(to: number, from: number): number {
  const distance = (((to - from) % MODULO_27M) + MODULO_27M) % MODULO_27M;
  return distance > MODULO_27M / 2 ? distance - MODULO_27M : distance;
}
