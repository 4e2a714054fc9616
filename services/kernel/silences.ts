/** Since when each of some is not heard of, as long as nobody hears of it in between. */
export class Silences<Name> {
  readonly #sinceMs = new Map<Name, number>();

  /**
   * @param silent - All that are silent now; whoever is not among them has been heard.
   * @param nowMs - Monotonic.
   * @returns how long each has been silent, looked at from here: 0 the first time.
   */
  look(silent: readonly Name[], nowMs: number): ReadonlyMap<Name, number> {
    const known = new Set(silent);
    for (const name of this.#sinceMs.keys()) if (!known.has(name)) this.#sinceMs.delete(name);
    for (const name of silent) {
      if (!this.#sinceMs.has(name)) this.#sinceMs.set(name, nowMs);
    }
    return new Map(silent.map((name) => [name, nowMs - (this.#sinceMs.get(name) ?? nowMs)]));
  }

  /** It is dealt with. */
  forget(name: Name): void {
    this.#sinceMs.delete(name);
  }

  /** Nobody could be heard for a while: all silences begin anew. */
  clear(): void {
    this.#sinceMs.clear();
  }
}
