/** What operations need that start no process in a container. */
import type { Context } from './context.ts';

export type LightContext = Pick<Context, 'sys' | 'store' | 'warn' | 'trace'>;
