/** The flags that every command has, before its name or after it. */
import { CGROUP_MANAGERS, type CgroupManager } from '../operations/cgroup/cgroup-manager.ts';
import { type Flags, flagTable, type Parsed, UsageError } from './args.ts';
import type { LogFormat, LogLevel } from './log.ts';

export const GLOBAL_FLAGS = {
  root: { kind: 'text' },
  log: { kind: 'text' },
  'log-format': { kind: 'text' },
  'log-level': { kind: 'text' },
  debug: { kind: 'switch' },
  'systemd-cgroup': { kind: 'switch' },
  'cgroup-manager': { kind: 'text' },
  trace: { kind: 'text' },
  rootless: { kind: 'text' },
  /** Taken and ignored: runc had it. */
  criu: { kind: 'text' },
  help: { kind: 'switch', short: 'h' },
  version: { kind: 'switch', short: 'v' },
} as const satisfies Flags;

export const GLOBAL_TABLE = flagTable(GLOBAL_FLAGS);

export interface Globals {
  readonly root: string | undefined;
  /** undefined: standard error. */
  readonly logFile: string | undefined;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
  readonly cgroupManager: CgroupManager;
  /** Where the phases are written. */
  readonly traceFile: string | undefined;
  readonly help: boolean;
  readonly version: boolean;
}

const LEVELS: readonly LogLevel[] = ['error', 'warning', 'info', 'debug'];

type ParsedGlobals = Parsed<typeof GLOBAL_FLAGS>;

/** Of a flag that was given before and after the command the latter counts. @throws UsageError */
export function readGlobals(before: ParsedGlobals, after: ParsedGlobals): Globals {
  const pick = <Name extends keyof typeof GLOBAL_FLAGS>(name: Name) => (after.given.has(name) ? after : before).values[name];
  if (pick('rootless') !== undefined) oneOf('--rootless', pick('rootless'), ['true', 'false', 'auto'] as const, 'auto');
  return {
    root: pick('root'),
    logFile: pick('log'),
    logFormat: oneOf('--log-format', pick('log-format'), ['text', 'json'] as const, 'text'),
    logLevel: pick('debug') ? 'debug' : oneOf('--log-level', levelName(pick('log-level')), LEVELS, 'warning'),
    cgroupManager: pick('systemd-cgroup') ? 'systemd' : oneOf('--cgroup-manager', pick('cgroup-manager'), CGROUP_MANAGERS, 'cgroupfs'),
    traceFile: pick('trace'),
    help: pick('help'),
    version: pick('version'),
  };
}

function levelName(text: string | undefined): string | undefined {
  return text === 'warn' ? 'warning' : text?.toLowerCase();
}

function oneOf<T extends string>(flag: string, text: string | undefined, values: readonly T[], otherwise: T): T {
  if (text === undefined || text === '') return otherwise;
  const value = values.find((candidate) => candidate === text);
  if (value === undefined)
    throw new UsageError(`invalid value ${JSON.stringify(text)} for flag ${flag}: it is one of ${values.join(', ')}`);
  return value;
}
