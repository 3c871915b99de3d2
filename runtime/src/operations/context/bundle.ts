/** A bundle, read once for an operation. */
import { readFile } from '../../linux/files.ts';
import { loadConfig } from '../../spec/load.ts';
import type { ValidConfig } from '../../spec/valid.ts';
import type { Context } from './context.ts';

const CONFIG = 'config.json';

export interface Bundle {
  /** Absolute path. */
  readonly path: string;
  readonly config: ValidConfig;
  /** The configuration as it was read: the container keeps it, whatever becomes of the bundle. */
  readonly text: string;
}

/** @throws RuntimeError with everything that is wrong with the configuration */
export function loadBundle(context: Pick<Context, 'sys' | 'warn' | 'trace'>, path: string): Bundle {
  context.trace?.begin('read and check the configuration');
  const text = readFile(context.sys, `${path}/${CONFIG}`);
  const { config, warnings } = loadConfig(text);
  for (const warning of warnings) context.warn(`${CONFIG}: ${warning.path}: ${warning.message}`);
  context.trace?.end();
  return { path, config, text };
}
