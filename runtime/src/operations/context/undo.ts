/** What has been done and must be taken back if the rest fails. */
export class Undo {
  readonly #steps: (() => void)[] = [];

  push(step: () => void): void {
    this.#steps.push(step);
  }

  /** Takes everything back, newest first. What cannot be taken back does not keep the rest from it; the first such failure is returned. */
  run(): unknown {
    let first: unknown;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        step();
      } catch (error) {
        first ??= error;
      }
    }
    return first;
  }
}
