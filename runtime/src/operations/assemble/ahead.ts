/** Work that can be done while somebody else is at work. What goes wrong with it, goes wrong where its result is asked for. */
export class Ahead<T> {
  readonly #work: () => T;
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(work: () => T) {
    this.#work = work;
  }

  /** Does it now, unless it is done. Does not throw. */
  begin(): void {
    if (this.#outcome !== undefined) return;
    try {
      this.#outcome = { value: this.#work() };
    } catch (error) {
      this.#outcome = { error };
    }
  }

  /** The result, of work done before or now. @throws what the work threw */
  get(): T {
    this.begin();
    const outcome = this.#outcome;
    if (outcome === undefined || 'error' in outcome) throw outcome?.error;
    return outcome.value;
  }
}
