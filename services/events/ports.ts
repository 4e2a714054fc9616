import type { DomainEvent } from './domain-events.ts';

/** Where an event stands in the log. Positions sort as the log does. */
export type LogPosition = string;

/** An entry that cannot be read has no event; it is passed over. */
export type LoggedEvent = {
  readonly position: LogPosition;
  readonly event: DomainEvent | undefined;
};

/**
 * Reads the event log on behalf of all workers, one of them at a time, so that every receiver
 * hears events in the order of the log.
 */
export interface EventFeed {
  /**
   * Takes or keeps the reader's seat. False while another worker has it. The seat is lost when
   * it is not claimed again within five seconds.
   */
  claim(): Promise<boolean>;
  /**
   * The next events after what was confirmed, oldest first; waits up to `waitMs` for the first.
   * The same again until they are confirmed.
   */
  read(options: {
    readonly limit: number;
    readonly waitMs: number;
  }): Promise<readonly LoggedEvent[]>;
  /** All up to here is taken care of. False, without effect, when the seat is lost. */
  confirm(position: LogPosition): Promise<boolean>;
  /** Gives the seat up. Never rejects. */
  release(): Promise<void>;
}
