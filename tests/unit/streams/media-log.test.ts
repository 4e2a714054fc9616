import { describe, expect, it } from 'vitest';
import { MediaLog } from '../../../services/streams/media-log.ts';

const FACTS = { container: 'MPEGTS', videoCodec: 'h264' };
const URL_A = 'http://a/live.ts';

function logAt() {
  const clock = { ms: 0 };
  return { clock, log: new MediaLog(() => clock.ms) };
}

describe('what is known of the media of sources', () => {
  it('is found out by one reader at a time, and then known', () => {
    const { log } = logAt();
    const look = log.claim(URL_A);
    expect(log.claim(URL_A)).toBeUndefined();
    expect(log.claim('http://b/live.ts')).toBeDefined();
    expect(log.factsOf(URL_A)).toBeNull();
    look?.told(FACTS);
    expect(log.factsOf(URL_A)).toEqual(FACTS);
    expect(log.claim(URL_A)).toBeUndefined();
  });

  it('may be found out by another when a reader leaves', () => {
    const { log } = logAt();
    const look = log.claim(URL_A);
    look?.close();
    const second = log.claim(URL_A);
    expect(second).toBeDefined();
    look?.close();
    look?.told(FACTS);
    expect(log.claim(URL_A)).toBeUndefined();
    expect(log.factsOf(URL_A)).toBeNull();
  });

  it('is not looked for again at once where it could not be told', () => {
    const { log, clock } = logAt();
    log.claim(URL_A)?.told(undefined);
    clock.ms = 59_999;
    expect(log.claim(URL_A)).toBeUndefined();
    clock.ms = 60_000;
    expect(log.claim(URL_A)).toBeDefined();
  });

  it('is looked at anew after a while, and kept until then', () => {
    const { log, clock } = logAt();
    log.claim(URL_A)?.told(FACTS);
    clock.ms = 600_000;
    log.claim(URL_A)?.told(undefined);
    expect(log.factsOf(URL_A)).toEqual(FACTS);
  });

  it('is bounded, however many sources a resolver names', () => {
    const { log } = logAt();
    for (let n = 0; n < 17; n += 1) log.claim(`http://a/${n}`)?.told(FACTS);
    expect(log.factsOf('http://a/0')).toBeNull();
    expect(log.factsOf('http://a/16')).toEqual(FACTS);
  });
});
