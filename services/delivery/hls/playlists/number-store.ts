import type { StreamId } from '#kernel/ids';

export type StoredNumbers = {
  readonly text: string;
  /** Since it was saved, by the store's clock. */
  readonly ageMs: number;
  /** This process has saved it. */
  readonly isOwn: boolean;
};

/** Keeps for some minutes what numbers a stream's viewers have seen. None of it throws. */
export interface NumberStore {
  /** Nothing where there is nothing, or the store is away. */
  load(id: StreamId): Promise<StoredNumbers | undefined>;
  save(id: StreamId, text: string): void;
  drop(id: StreamId): void;
}
