import type { KeyRing } from '#kernel/key-ring';

/** The secrets that all processes of one installation share. */
export interface SecretStore {
  /**
   * Newest first.
   * @throws DependencyError `STORE_UNAVAILABLE`
   */
  load(): Promise<KeyRing['secrets']>;
  /**
   * Puts a new one before the others, and drops those that have not been in use for a day, but for
   * the last two. @throws as `load`.
   */
  rotate(): Promise<void>;
  /** Calls when any process has rotated them, or may have. */
  onChange(listener: () => void): void;
}

/** A stream key as it is kept: the key itself is known to its holder only. */
export type StreamKey = {
  readonly v: 1;
  readonly id: string;
  /** Shown as the viewer's username; `null` for none. */
  readonly name: string | null;
  /** SHA-256 of the key, hex. */
  readonly digest: string;
  readonly createdAtMs: number;
};

/** Durable stream keys, common to all processes. */
export interface StreamKeyStore {
  /** @throws DependencyError `STORE_UNAVAILABLE`, as all of these. */
  list(): Promise<readonly StreamKey[]>;
  save(key: StreamKey): Promise<void>;
  /** False when there is none with this id. */
  remove(id: string): Promise<boolean>;
  /** Calls when any process has changed the keys, or may have. */
  onChange(listener: () => void): void;
}

/** Viewings by signed links that have begun, common to all processes; each known by a digest. */
export interface BegunStore {
  /** The newest ones. @throws DependencyError `STORE_UNAVAILABLE` */
  newest(count: number): Promise<readonly string[]>;
  /** Tells all processes. Never throws; while the store is away only this one knows. */
  save(digest: string): void;
  /** Calls for every viewing that some process has let in. */
  onBegun(listener: (digest: string) => void): void;
}
