/** Commands that take several names do all they can, say what went wrong for each, and fail if anything did. */

import { ContainerError } from '../../container/errors.ts';
import { messageOf } from '../../container/files.ts';
import type { Context } from '../context.ts';

export async function forEach(context: Context, names: readonly string[], action: (name: string) => Promise<void>): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      await action(name);
    } catch (error) {
      code = 1;
      context.note(`tsctl: ${messageOf(error)}`);
      if (error instanceof ContainerError && error.hint !== undefined) context.note(error.hint);
    }
  }
  return code;
}
