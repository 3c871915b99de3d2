/** Whether terminal and console socket fit together. The texts are runc's: engines and their tests know them. */
import type { Config } from '../../../../specs/runtime/config.ts';
import { RuntimeError } from '../../base/errors.ts';

export interface ConsoleWish {
  /** The command will not stay with the container, and so cannot pass the terminal through. */
  readonly detached: boolean;
  /** Somebody else takes the terminal. */
  readonly socket: boolean;
}

/** @throws RuntimeError 'console' */
export function checkConsole(config: Config, { detached, socket }: ConsoleWish): void {
  const terminal = config.process?.terminal === true;
  if (detached && terminal && !socket) {
    throw new RuntimeError('console', 'cannot allocate tty if tsrun will detach without setting console socket', {
      configPath: 'process.terminal',
    });
  }
  if ((!detached || !terminal) && socket) {
    throw new RuntimeError('console', 'cannot use console socket if tsrun will not detach or allocate tty', {
      configPath: 'process.terminal',
    });
  }
}
