/** The contestants and where they work. */

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Sys } from '../../runtime/src/sys/sys.ts';
import type { Command } from './measure.ts';

export interface Setting {
  readonly sys: Sys;
  /** For what takes milliseconds. */
  readonly rounds: number;
  /** For what takes seconds. */
  readonly heavyRounds: number;
  /** Stores, layouts and bundles lie here. */
  readonly directory: string;
  /** A store with the images that are measured, kept between runs: making them takes longer than many a measurement. */
  readonly seed: string;
  /** Where the words of the command under way go. */
  readonly log: string;
  readonly peers: { readonly skopeo: string; readonly umoci: string; readonly buildah: string };
  /** A command line of tsimg on a store, a path from the directory. */
  tsimg(store: string, ...args: readonly string[]): Command;
}

const DIRECTORIES = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Throws an error that says what to install. */
export function findProgram(name: string): string {
  const path = DIRECTORIES.map((directory) => join(directory, name)).find(isExecutable);
  if (path === undefined) throw new Error(`${name} is not installed: apt-get install ${name}`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
