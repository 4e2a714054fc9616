const STEPS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `1.5 MB`; decimal, as providers count. */
export function bytes(count: number): string {
  let value = count;
  let step = 0;
  while (value >= 1000 && step < STEPS.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${step === 0 ? value : value.toFixed(1)} ${STEPS[step] ?? ''}`;
}

/** `8.0 Mbit/s`. */
export const bitRate = (bytesPerSecond: number): string =>
  `${((bytesPerSecond * 8) / 1e6).toFixed(1)} Mbit/s`;

/** `1d 02:03:04`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86_400);
  const clock = [whole / 3600, whole / 60, whole].map(
    (part, at) => Math.floor(part) % (at ? 60 : 24),
  );
  const text = clock.map((part) => String(part).padStart(2, '0')).join(':');
  return days === 0 ? text : `${days}d ${text}`;
}
