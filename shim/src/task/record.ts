/**
 * What a shim leaves on disk about a container, for one that comes after it: `STATE/<id>/task.json`, replaced as a whole at every change.
 * Beside it lie the pipes of its processes, `<n>-stdout` and `<n>-stderr`.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readFileIfExists, replaceFile } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { isNodeError } from '../base/node-error.ts';

export interface EndRecord {
  readonly status: number;
  readonly signal?: number;
  /** Nanoseconds since 1970, in digits. */
  readonly at: string;
  readonly unknown?: boolean;
  /** Why, where more is known than the status: see `cause.ts`. */
  readonly cause?: string;
}

export interface ProcessRecord {
  /** '' for the init process. */
  readonly execId: string;
  /** Part of the names of its pipes. */
  readonly serial: number;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly stdinClosed: boolean;
  readonly phase: 'added' | 'created' | 'running' | 'stopped';
  readonly pid: number;
  readonly startTime: number;
  readonly end?: EndRecord;
  /** JSON of an exec's process, until it is started. */
  readonly spec?: string;
}

export interface TaskRecord {
  readonly version: 1;
  readonly id: string;
  readonly bundle: string;
  /** The runtime's root directory. */
  readonly root: string;
  /** The root file system was mounted by the shim. */
  readonly mounted: boolean;
  readonly cgroup?: string;
  readonly outlivesInit: boolean;
  readonly ioOwner?: { readonly uid: number; readonly gid: number };
  readonly paused: boolean;
  readonly processes: readonly ProcessRecord[];
}

const FILE = 'task.json';
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;

export class TaskStore {
  readonly #sys: Sys;
  readonly directory: string;

  /** @param directory absolute path; it is made with the first task */
  constructor(sys: Sys, directory: string) {
    this.#sys = sys;
    this.directory = directory;
  }

  pathOf(id: string): string {
    return join(this.directory, id);
  }

  create(id: string): void {
    mkdirSync(this.pathOf(id), { recursive: true, mode: PRIVATE_DIRECTORY });
  }

  write(record: TaskRecord): void {
    replaceFile(this.#sys, join(this.pathOf(record.id), FILE), JSON.stringify(record), { mode: PRIVATE_FILE });
  }

  /** Undefined when there is none, or none that can be read. */
  read(id: string): TaskRecord | undefined {
    const text = readFileIfExists(this.#sys, join(this.pathOf(id), FILE));
    if (text === undefined) return undefined;
    try {
      // Our own file, written as a whole.
      const record: TaskRecord = JSON.parse(text);
      return record.version === 1 ? record : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** Nanoseconds since 1970: when `create` made the directory. */
  createdAt(id: string): bigint {
    return statSync(this.pathOf(id), { bigint: true }).birthtimeNs;
  }

  remove(id: string): void {
    rmSync(this.pathOf(id), { recursive: true, force: true });
  }

  list(): string[] {
    try {
      return readdirSync(this.directory).sort();
    } catch (error) {
      if (isNodeError(error, 'ENOENT')) return [];
      throw error;
    }
  }
}
