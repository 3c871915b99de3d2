/** What the parts of `linux.resources` become: data, carried out by `apply.ts`. */
import { RuntimeError } from '../../base/errors.ts';

/** One write(2) to a file of the container's cgroup. */
export interface ResourceWrite {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** The place that asks for it: `linux.resources.memory.limit`. */
  readonly configPath: string;
  /**
   * Nothing is lost where the file does not exist: the value lifts a limit that is then not there, or another write says the same.
   * Such a write does not need its controller.
   */
  readonly optional?: true;
  /** Used where `file` does not exist. */
  readonly instead?: { readonly file: string; readonly value: string };
  /** The kernel may refuse it with EINVAL at this point; the same write comes again later. */
  readonly repeated?: true;
}

/** A setting that has no meaning in cgroup v2, and is passed over. */
export interface ResourceWarning {
  readonly configPath: string;
  readonly message: string;
}

export type Integer = number | bigint;

/** The text the kernel takes for a limit: -1 is no limit, as it was in cgroup v1. */
export function limitText(value: Integer, configPath: string): string {
  if (BigInt(value) === -1n) return 'max';
  if (value < 0) throw resourceError(configPath, `${value} is not a limit; use -1 for none`);
  return String(value);
}

export function resourceError(configPath: string, message: string, hint?: string): RuntimeError {
  return new RuntimeError('cgroup-resources', `${configPath}: ${message}`, { configPath, ...(hint === undefined ? {} : { hint }) });
}
