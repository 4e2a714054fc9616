/** Files of whole segments, in a folder that belongs to this process alone. */
export interface SegmentFiles {
  /** Writes a file so that it is there whole or not at all. @throws the system's error. */
  write(name: string, bytes: Buffer): Promise<void>;
  /** @throws the system's error. */
  read(name: string): Promise<Buffer>;
  /** Harmless when there is none. Never rejects. */
  remove(name: string): Promise<void>;
}
