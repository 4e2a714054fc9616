import { describe, expect, it } from 'vitest';
import { JournalBacklog } from '#adapters/redis/journal-backlog';
import type { JournalEntry } from '#adapters/redis/journal-backlog';
import type { StateChange } from '#streams';
import { changes } from '../../support/events.ts';

const append = (...list: StateChange[]): JournalEntry => ({ changes: list });
const commit = (...list: StateChange[]): JournalEntry => ({
  changes: list,
  outcome: { resolve: () => {}, reject: () => {} },
});

function drain(backlog: JournalBacklog): string[] {
  const kinds: string[] = [];
  for (let entry = backlog.shift(); entry; entry = backlog.shift()) {
    kinds.push(entry.changes.map(({ kind }) => kind).join('+'));
  }
  return kinds;
}

describe('the backlog of the journal', () => {
  it('gives out what came first', () => {
    const backlog = new JournalBacklog(10);
    backlog.push(append(changes.saved(), changes.opened()));
    backlog.push(append(changes.noted()));
    expect(backlog.size).toBe(3);
    expect(drain(backlog)).toEqual(['stream-saved+stream-opened', 'noted']);
    expect(backlog.size).toBe(0);
  });

  it('puts back before all others', () => {
    const backlog = new JournalBacklog(10);
    backlog.push(append(changes.noted()));
    backlog.unshift([append(changes.saved()), append(changes.opened())]);
    expect(drain(backlog)).toEqual(['stream-saved', 'stream-opened', 'noted']);
  });

  it('keeps its order over thousands of entries', () => {
    const backlog = new JournalBacklog(100_000);
    const seen: string[] = [];
    for (let n = 0; n < 5_000; n++) {
      backlog.push(append(changes.noted({ n: String(n) })));
      if (n % 2 === 0) seen.push(numberOf(backlog.shift()));
    }
    for (let entry = backlog.shift(); entry; entry = backlog.shift()) seen.push(numberOf(entry));
    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, n) => String(n)));
  });

  it('forgets what its caller no longer waits for, wherever it stands', () => {
    const backlog = new JournalBacklog(10);
    const entries = [append(changes.saved()), commit(changes.opened()), append(changes.noted())];
    for (const entry of entries) backlog.push(entry);
    backlog.forget(entries[1]!);
    expect(backlog.size).toBe(2);
    expect(drain(backlog)).toEqual(['stream-saved', 'noted']);
  });

  it('drops the oldest facts that change no record when it is full', () => {
    const backlog = new JournalBacklog(100);
    for (let n = 0; n < 50; n++) backlog.push(append(changes.saved(), changes.noted()));
    expect(backlog.push(append(changes.opened()))).toBe(2);
    expect(backlog.size).toBe(99);
    expect(drain(backlog).slice(0, 3)).toEqual([
      'stream-saved',
      'stream-saved',
      'stream-saved+noted',
    ]);
  });

  it('drops the oldest changes when no such facts are left', () => {
    const backlog = new JournalBacklog(100);
    backlog.push(append(changes.saved()));
    for (let n = 0; n < 99; n++) backlog.push(append(changes.opened()));
    expect(backlog.push(append(changes.removed()))).toBe(2);
    const kept = drain(backlog);
    expect(kept).not.toContain('stream-saved');
    expect(kept.at(-1)).toBe('stream-removed');
  });

  it('never drops a commit: somebody waits for it', () => {
    const backlog = new JournalBacklog(4);
    for (let n = 0; n < 4; n++) backlog.push(commit(changes.noted()));
    expect(backlog.push(commit(changes.saved()))).toBe(0);
    expect(backlog.size).toBe(5);
  });
});

const numberOf = (entry: JournalEntry | undefined): string => {
  const [change] = entry?.changes ?? [];
  return change?.kind === 'noted' ? (change.event.metadata['n'] ?? '') : '';
};
