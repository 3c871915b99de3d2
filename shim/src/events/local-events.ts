/** Events for a listener in the same process: no journal, since who hears of them ends with who tells them. */

import type { Publisher, TaskEvent } from './publisher.ts';

export class LocalEvents implements Publisher {
  #listener: (event: TaskEvent) => void = () => undefined;

  /** What happened before is known from the tasks' states. */
  listen(listener: (event: TaskEvent) => void): void {
    this.#listener = listener;
  }

  publish(event: TaskEvent): void {
    this.#listener(event);
  }
}
