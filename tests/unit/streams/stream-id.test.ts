import { describe, expect, it } from 'vitest';
import { idFor } from '../../../services/streams/stream-id.ts';
import type { StreamDefinition } from '#streams';
import { resolverPlanOf } from '#resolve';
import { planOf } from '#transcode';
import { streamInput } from '../../support/stream-bench.ts';

const URL_OF_SOURCE = 'http://example.com/live/a.ts';
const transcode = (profile: string) =>
  planOf({ profile, variables: {}, format: 'mpegts', isTrusted: false });
const nobody = (): undefined => undefined;

/** The vectors of m3u-proxy, whose apps keep ids. */
describe('the id of a stream', () => {
  it.each([
    ['plain', undefined, '5c14b359b238c9343fa7c51063b827de'],
    ['of a profile', 'default', '188d67d1f3f6823b3f01b64135891a78'],
    ['of a template for HLS', '-i x -c copy -f hls i.m3u8', '528bd3a4582b586d47243c41182ad155'],
  ])('%s', (_name, profile, id) => {
    const more = profile === undefined ? {} : { transcode: transcode(profile) };
    expect(idFor(streamInput(URL_OF_SOURCE, more), nobody)).toBe(id);
  });

  it('of a page', () => {
    const common = { program: 'streamlink', cookies: null, cookiesPath: null } as const;
    const resolver = resolverPlanOf({ ...common, args: 'best' });
    const id = idFor(streamInput(URL_OF_SOURCE, { resolver }), nobody);
    expect(id).toBe('50aeb6723deb5177130cf3b025a2deff');
  });

  it('is another for another template on the same source, and the same for the same', () => {
    const first = transcode('-i x -c:v libx264 -b:v 1M -f mpegts -');
    const second = transcode('-i x -c:v libx264 -b:v 2M -f mpegts -');
    const input = (plan: typeof first) => streamInput(URL_OF_SOURCE, { transcode: plan });
    const id = idFor(input(first), nobody);
    const known = { ...input(first), id } as StreamDefinition;
    const find = (asked: string) => (asked === id ? known : undefined);
    expect(idFor(input(first), find)).toBe(id);
    expect(idFor(input(second), find)).not.toBe(id);
    expect(idFor(input(second), find)).toBe(idFor(input(second), find));
  });
});
