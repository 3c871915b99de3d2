import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UNIFIED } from './host.ts';

const DEPTH = 6;

/** The directories of all cgroup hierarchies that have this name, or `name.scope` or the like. */
export function cgroupsNamed(name: string): string[] {
  return below(UNIFIED, DEPTH).filter((path) => path.slice(path.lastIndexOf('/')).includes(name));
}

function below(directory: string, depth: number): string[] {
  const found: string[] = [];
  for (const path of subdirectories(directory)) found.push(path, ...(depth > 0 ? below(path, depth - 1) : []));
  return found;
}

/** A cgroup may go while it is looked at. */
function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}
