import { describe, expect, it } from 'vitest';
import { autoClientId, endpointIdOf, siblingClientId, streamIdOf } from '#kernel/ids';

const URL_OF_VECTORS = 'http://example.com/live/a.ts';

describe('ids that other programs compute too', () => {
  const streamId = streamIdOf(URL_OF_VECTORS);
  const traits = { streamId, ip: '203.0.113.9', userAgent: 'VLC/3.0', username: undefined };

  it('a stream is named after its URL as posted', () => {
    expect(streamId).toBe('5c14b359b238c9343fa7c51063b827de');
    expect(streamIdOf(`${URL_OF_VECTORS}#`)).not.toBe(streamId);
  });

  it('a viewer is named after its traits', () => {
    expect(autoClientId(traits)).toBe('client_d3b1ac79b93b753b');
    expect(autoClientId({ ...traits, username: 'alice' })).toBe('client_0b5f87ff454e2af1');
  });

  it('a second device behind the same address has a name of its own', () => {
    const id = autoClientId(traits);
    expect(siblingClientId(id)).toMatch(new RegExp(`^${id}_[0-9a-f]{8}$`));
    expect(siblingClientId(id)).not.toBe(siblingClientId(id));
  });

  it('an endpoint is named after its URL', () => {
    expect(endpointIdOf('http://a/')).toMatch(/^[0-9a-f]{24}$/);
    expect(endpointIdOf('http://a/')).toBe(endpointIdOf('http://a/'));
    expect(endpointIdOf('http://a/')).not.toBe(endpointIdOf('http://b/'));
  });
});
