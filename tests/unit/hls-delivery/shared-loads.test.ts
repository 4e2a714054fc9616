import { describe, expect, it } from 'vitest';
import { SharedLoads } from '../../../services/delivery/viewing/shared-loads.ts';
import { settle } from '../../support/test-clock.ts';

function start() {
  const loads = new SharedLoads<string>();
  const begun: { readonly signal: AbortSignal; readonly result: PromiseWithResolvers<string> }[] =
    [];
  const load = (unwanted: AbortSignal): Promise<string> => {
    const result = Promise.withResolvers<string>();
    unwanted.addEventListener('abort', () => result.reject(unwanted.reason));
    begun.push({ signal: unwanted, result });
    return result.promise;
  };
  const ask = (key = 'k', signal = new AbortController().signal): Promise<string> =>
    loads.run(key, load, signal);
  return { begun, ask };
}

describe('SharedLoads', () => {
  it('loads once for all who ask at the same time, and anew for who asks later', async () => {
    const { begun, ask } = start();
    const asking = [ask(), ask()];
    begun[0]?.result.resolve('first');
    expect(await Promise.all(asking)).toEqual(['first', 'first']);
    const later = ask();
    begun[1]?.result.resolve('second');
    expect(await later).toBe('second');
  });

  it('loads other keys by themselves', () => {
    const { begun, ask } = start();
    void ask('a').catch(() => {});
    void ask('b').catch(() => {});
    expect(begun).toHaveLength(2);
  });

  it('gives a failure to those who wait, and to nobody after', async () => {
    const { begun, ask } = start();
    const asking = [ask(), ask()];
    begun[0]?.result.reject(new Error('down'));
    for (const asked of asking) await expect(asked).rejects.toThrow('down');
    const again = ask();
    begun[1]?.result.resolve('up');
    expect(await again).toBe('up');
  });

  it('goes on while one still waits, and stops when the last has left', async () => {
    const { begun, ask } = start();
    const [first, second] = [new AbortController(), new AbortController()];
    const asking = [ask('k', first.signal), ask('k', second.signal)];
    first.abort();
    await expect(asking[0]).rejects.toThrow('abort');
    expect(begun[0]?.signal.aborted).toBe(false);
    second.abort();
    await expect(asking[1]).rejects.toThrow('abort');
    expect(begun[0]?.signal.aborted).toBe(true);
  });

  it('begins anew for who asks after everybody had left', async () => {
    const { begun, ask } = start();
    const leaving = new AbortController();
    const left = ask('k', leaving.signal);
    leaving.abort();
    await expect(left).rejects.toThrow('abort');
    const asked = ask();
    await settle();
    begun[1]?.result.resolve('fresh');
    expect(await asked).toBe('fresh');
  });
});
