import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '#config';

function pacing(environment: Record<string, string>): ReturnType<typeof loadConfig>['pacing'] {
  return loadConfig(environment).pacing;
}

function complaint(environment: Record<string, string>): string {
  try {
    loadConfig(environment);
    return '';
  } catch (error) {
    return error instanceof ConfigError ? error.problems.join('\n') : String(error);
  }
}

/** kbit/s of each unit, exactly. */
const RATES: readonly (readonly [string, number])[] = [
  ['8', 8],
  ['8kbps', 8],
  ['8Kbps', 8],
  ['1mbps', 1000],
  ['1Mbps', 1000],
  ['1gbps', 1_000_000],
  ['800bps', 0.8],
  ['1Kibps', 1.024],
  ['1Mibps', 1048.576],
  ['1mibps', 1048.576],
  ['1B/s', 0.008],
  ['1KB/s', 8],
  ['1kB/s', 8],
  ['1 MB/s', 8000],
  ['1GB/s', 8_000_000],
  ['1KiB/s', 8.192],
  ['1MiB/s', 8388.608],
  ['1.5MB/s', 12_000],
  ['.5 Mbps', 500],
  ['  2   MB/s ', 16_000],
  ['0', 0],
  ['', 0],
];

describe('a throttle', () => {
  it.each(RATES)('of %j is exactly %d kbit/s', (text, kbps) => {
    expect(pacing({ THROTTLE: text }).files.throttleBytesPerSecond * 8).toBeCloseTo(kbps * 1000, 6);
  });

  it.each(['abc', '-1mbps', '1,5MB/s', '1 kb/s', '1Kib/s', '8KBPS', '5 M', '5 Mi', '1ibps', '1 2'])(
    '%j is refused with the units that there are',
    (text) => {
      expect(complaint({ THROTTLE: text })).toMatch(/^THROTTLE must be a number .*kbps.*MiB\/s/);
    },
  );

  it('holds for live only when that is asked for', () => {
    expect(pacing({ THROTTLE: '1MB/s' }).liveBytesPerSecond).toBe(0);
    expect(pacing({ THROTTLE: '1MB/s', THROTTLE_LIVE: 'yes' }).liveBytesPerSecond).toBe(1e6);
  });
});

const SIZES: readonly (readonly [string, number])[] = [
  ['1000', 1000],
  ['10 B', 10],
  ['1kB', 1000],
  ['1kb', 1000],
  ['1k', 1000],
  ['8MiB', 8_388_608],
  ['8mib', 8_388_608],
  ['1.5MB', 1_500_000],
  ['1GiB', 1_073_741_824],
  ['', 0],
];

describe('a buffer', () => {
  it.each(SIZES)('of %j is %d bytes', (text, bytes) => {
    expect(pacing({ FILE_BUFFER: text }).files.bufferBytes).toBe(bytes);
  });

  it.each(['much', '-1', '1 TB', '8 Mbps', '1,5MB'])('%j is refused', (text) => {
    expect(complaint({ FILE_BUFFER: text })).toMatch(/^FILE_BUFFER must be a number .*MiB/);
  });

  it('cannot be filled with more than it holds', () => {
    const { files } = pacing({ FILE_BUFFER: '1MB', FILE_BUFFER_FILL: '8MB' });
    expect(files).toMatchObject({ bufferBytes: 1_000_000, fillBytes: 1_000_000 });
  });
});
