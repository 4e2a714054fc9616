/** What was seen of one source, one account, or everything. */
export type Counts = {
  readonly requests: number;
  /** Requests that came above a limit, and what became of them. */
  readonly over_limit: number;
  readonly refused: number;
  readonly killed: number;
  readonly open: number;
  /** The most that were served at once. */
  readonly max_open: number;
  /** The most that were asked for at once: those above the limit count too. */
  readonly max_wanted: number;
  readonly bytes: number;
};

/** Counts the responses of one subject; it never forgets, unlike the list of requests. */
export class Tally {
  #requests = 0;
  #refused = 0;
  #killed = 0;
  #open = 0;
  #maxOpen = 0;
  #maxWanted = 0;
  #bytes = 0;

  opened(): void {
    this.#requests += 1;
    this.#open += 1;
    this.#maxOpen = Math.max(this.#maxOpen, this.#open);
    this.#maxWanted = Math.max(this.#maxWanted, this.#open);
  }

  refusedOne(): void {
    this.#requests += 1;
    this.#refused += 1;
    this.#maxWanted = Math.max(this.#maxWanted, this.#open + 1);
  }

  killedOne(): void {
    this.#killed += 1;
    this.#maxWanted = Math.max(this.#maxWanted, this.#open + 1);
  }

  sent(bytes: number): void {
    this.#bytes += bytes;
  }

  closed(): void {
    this.#open -= 1;
  }

  get counts(): Counts {
    return {
      requests: this.#requests,
      over_limit: this.#refused + this.#killed,
      refused: this.#refused,
      killed: this.#killed,
      open: this.#open,
      max_open: this.#maxOpen,
      max_wanted: this.#maxWanted,
      bytes: this.#bytes,
    };
  }
}

/** Of who never came. */
export const NO_COUNTS = new Tally().counts;
