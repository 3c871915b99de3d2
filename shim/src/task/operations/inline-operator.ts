/** Operations on the calling thread, one after the other: for tests, and where threads are not to be had. */
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import type { ArgumentsOf, OperationName, Operator, ResultOf } from './operation.ts';
import { type Host, makeHost, perform } from './perform.ts';

export class InlineOperator implements Operator {
  readonly #host: Host;

  constructor(sys: Sys, warn: (message: string) => void) {
    this.#host = makeHost(sys, warn);
  }

  async run<Name extends OperationName>(name: Name, args: ArgumentsOf<Name>): Promise<ResultOf<Name>> {
    return perform(this.#host, name, args);
  }

  async close(): Promise<void> {
    // It has nothing open but the agent's image, which goes with the process.
  }
}
