/** Asks before something is deleted. */

import { createInterface } from 'node:readline/promises';
import type { Context } from '../context.ts';

export async function confirm(context: Context, warning: string): Promise<boolean> {
  context.write(`${warning}\n`);
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question('Are you sure you want to continue? [y/N] ')).trim());
  } finally {
    lines.close();
  }
}
