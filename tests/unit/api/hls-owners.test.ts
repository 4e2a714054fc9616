import { describe, expect, it } from 'vitest';
import { HlsOwners } from '#api/internal/hls-owners';
import { asStreamId } from '#kernel/ids';
import type { StreamId } from '#kernel/ids';
import { TestClock } from '../../support/test-clock.ts';

const ID = asStreamId('a'.repeat(32));
const HERE = 'http://here';
const THERE = 'http://there';

/** Holds that several processes share, of which one can be away. */
class Store {
  readonly owners = new Map<StreamId, string>();
  isAway = false;
  asked = 0;

  holdersOf(own: string) {
    return {
      take: async (id: StreamId, url: string): Promise<string> => {
        this.asked += 1;
        if (this.isAway) throw new Error('away');
        const owner = this.owners.get(id) ?? url;
        this.owners.set(id, owner);
        return owner;
      },
      holds: (id: StreamId): boolean => this.owners.get(id) === own,
      release: (id: StreamId): void => void this.owners.delete(id),
    };
  }
}

function start({ knows = true } = {}) {
  const [clock, store] = [new TestClock(), new Store()];
  const open = async (): Promise<void> => {
    if (!knows) throw new Error('no such stream');
  };
  const taken: string[] = [];
  const ownersAt = (url: string): HlsOwners =>
    new HlsOwners({
      taken: () => void taken.push(url),
      holders: store.holdersOf(url),
      ownUrl: () => url,
      open,
      clock,
      timers: clock,
    });
  return { clock, store, taken, here: ownersAt(HERE), there: ownersAt(THERE) };
}

describe('the owner of a stream’s HLS', () => {
  it('is told once whenever it becomes that', async () => {
    const { clock, store, taken, here, there } = start();
    await here.elsewhere(ID);
    await here.elsewhere(ID);
    await there.elsewhere(ID);
    expect(taken).toEqual([HERE]);
    store.owners.set(ID, THERE);
    await clock.advance(301);
    await here.elsewhere(ID);
    store.owners.delete(ID);
    await clock.advance(301);
    await here.elsewhere(ID);
    expect(taken).toEqual([HERE, HERE]);
  });

  it('is the process that is asked first, and is asked about once', async () => {
    const { store, here, there } = start();
    expect(await here.elsewhere(ID)).toBeUndefined();
    expect(await here.elsewhere(ID)).toBeUndefined();
    expect(here.isHere(ID)).toBe(true);
    expect(store.asked).toBe(1);
    const asked = await Promise.all([there.elsewhere(ID), there.elsewhere(ID)]);
    expect(asked).toEqual([HERE, HERE]);
    expect(store.asked).toBe(2);
    expect(there.isHere(ID)).toBe(false);
  });

  it('is asked about again after a moment, and when it could not be reached', async () => {
    const { clock, store, here, there } = start();
    await here.elsewhere(ID);
    await there.elsewhere(ID);
    store.owners.delete(ID);
    expect(await there.elsewhere(ID)).toBe(HERE);
    there.missed(ID);
    expect(await there.elsewhere(ID)).toBeUndefined();
    expect(await here.elsewhere(ID)).toBe(THERE);
    store.owners.set(ID, HERE);
    await clock.advance(400);
    expect(await there.elsewhere(ID)).toBe(HERE);
  });

  it('is nobody else for half a minute when it lives and cannot be reached', async () => {
    const { clock, here, there } = start();
    await here.elsewhere(ID);
    there.shun(HERE);
    expect(await there.elsewhere(ID)).toBeUndefined();
    await clock.advance(31_000);
    expect(await there.elsewhere(ID)).toBe(HERE);
  });

  it('is nobody else while the store is away, and none of what is no stream', async () => {
    const { store, here } = start();
    store.isAway = true;
    expect(await here.elsewhere(ID)).toBeUndefined();
    const strange = start({ knows: false });
    expect(await strange.here.elsewhere(ID)).toBeUndefined();
    expect(strange.store.owners.size).toBe(0);
  });

  it('lets go of what nobody asks for, and of all when it ends', async () => {
    const { clock, store, here } = start();
    await here.elsewhere(ID);
    await clock.advance(140_000);
    expect(store.owners.size).toBe(0);
    await here.elsewhere(ID);
    here.close();
    expect(store.owners.size).toBe(0);
    expect(await here.elsewhere(ID)).toBeUndefined();
    expect(store.owners.size).toBe(0);
  });
});
