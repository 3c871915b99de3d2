/** What a cgroup v2 counts, as numbers. `stats-json.ts` gives them runc's shape. */
import { EACCES, ENODEV, ENOENT, EOPNOTSUPP, isErrno } from '../linux/errno.ts';
import { readFile } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';
import { words } from './hierarchy.ts';

/** A bigint where a number would not be exact. */
export type Integer = number | bigint;

export type Counters = Readonly<Record<string, Integer>>;

/** One line of a pressure file: shares of time in percent, and the whole in microseconds. */
export interface PressureLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: Integer;
}

export interface Pressure {
  readonly some?: PressureLine;
  readonly full?: PressureLine;
}

/** Bytes. An undefined limit is no limit; an undefined peak is an older kernel's. */
export interface MemoryUsage {
  readonly current: Integer;
  readonly limit: Integer | undefined;
  readonly peak: Integer | undefined;
}

export interface IoDevice {
  readonly major: number;
  readonly minor: number;
  /** `rbytes wbytes rios wios dbytes dios`, `cost.usage` and others of io.stat. */
  readonly counters: Counters;
}

/** Parts whose controller the cgroup does not have are undefined, or empty. */
export interface CgroupStats {
  readonly pids: { readonly current: Integer; readonly limit: Integer | undefined };
  /** cpu.stat; times in microseconds. Every cgroup has it. */
  readonly cpu: Counters;
  readonly memory: MemoryUsage | undefined;
  readonly swap: MemoryUsage | undefined;
  /** memory.stat */
  readonly memoryDetails: Counters;
  /** memory.events */
  readonly memoryEvents: Counters;
  readonly io: readonly IoDevice[];
  /** By page size: `2MB`. */
  readonly hugetlb: Readonly<
    Record<string, { readonly current: Integer; readonly limit: Integer | undefined; readonly failures: Integer }>
  >;
  readonly pressure: { readonly cpu: Pressure | undefined; readonly memory: Pressure | undefined; readonly io: Pressure | undefined };
}

/**
 * Reads the counters of a cgroup and its descendants.
 *
 * @param directoryFd descriptor of the cgroup's directory, O_PATH will do
 * @param pageSizes of huge pages, see `hugePageSizes`
 */
export function readStats(sys: Sys, directoryFd: number, pageSizes: readonly string[] = []): CgroupStats {
  const read = (file: string) => readOptional(sys, directoryFd, file);
  return {
    pids: readPids(read),
    cpu: parseCounters(read('cpu.stat')),
    memory: readMemory(read, 'memory'),
    swap: readMemory(read, 'memory.swap'),
    memoryDetails: parseCounters(read('memory.stat')),
    memoryEvents: parseCounters(read('memory.events')),
    io: parseIo(read('io.stat') ?? ''),
    hugetlb: readHugetlb(read, pageSizes),
    pressure: {
      cpu: parsePressure(read('cpu.pressure')),
      memory: parsePressure(read('memory.pressure')),
      io: parsePressure(read('io.pressure')),
    },
  };
}

type Reader = (file: string) => string | undefined;

function readOptional(sys: Sys, directoryFd: number, file: string): string | undefined {
  try {
    return readFile(sys, file, directoryFd);
  } catch (error) {
    // Pressure files answer EOPNOTSUPP where the kernel was started without psi=1; some are not for everybody to read.
    if (isErrno(error, ENOENT, ENODEV, EOPNOTSUPP, EACCES)) return undefined;
    throw error;
  }
}

/** An integer of a kernel file; undefined for `max` and for what is none. */
export function parseInteger(text: string | undefined): Integer | undefined {
  const digits = text?.trim() ?? '';
  return /^-?\d+$/.test(digits) ? exact(BigInt(digits)) : undefined;
}

/** The value as a number where that is exact. */
export function exact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A flat keyed file: `KEY VALUE` on each line. */
export function parseCounters(text: string | undefined): Counters {
  const counters: Record<string, Integer> = {};
  for (const line of text?.split('\n') ?? []) {
    const [key, value] = line.split(' ');
    const integer = parseInteger(value);
    if (key !== undefined && integer !== undefined) counters[key] = integer;
  }
  return counters;
}

function readPids(read: Reader): CgroupStats['pids'] {
  const current = parseInteger(read('pids.current'));
  if (current !== undefined) return { current, limit: parseInteger(read('pids.max')) };
  // Without the controller there is the list of processes: not the same as tasks, yet better than nothing.
  return { current: words(read('cgroup.procs') ?? read('cgroup.threads') ?? '').length, limit: undefined };
}

function readMemory(read: Reader, name: string): MemoryUsage | undefined {
  const current = parseInteger(read(`${name}.current`));
  if (current === undefined) return undefined;
  return { current, limit: parseInteger(read(`${name}.max`)), peak: parseInteger(read(`${name}.peak`)) };
}

/** `MAJOR:MINOR KEY=VALUE…` on each line. */
export function parseIo(text: string): IoDevice[] {
  return text.split('\n').flatMap((line) => {
    const [numbers, ...pairs] = line.split(' ');
    const [major, minor] = numbers?.split(':').map(Number) ?? [];
    if (major === undefined || minor === undefined || pairs.length === 0) return [];
    return [{ major, minor, counters: parseCounters(pairs.map((pair) => pair.replace('=', ' ')).join('\n')) }];
  });
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same with `full`. */
export function parsePressure(text: string | undefined): Pressure | undefined {
  if (text === undefined) return undefined;
  const pressure: { some?: PressureLine; full?: PressureLine } = {};
  for (const line of text.split('\n')) {
    const [name, ...pairs] = line.split(' ');
    if (name !== 'some' && name !== 'full') continue;
    const values = new Map(pairs.map((pair) => pair.split('=', 2) as [string, string]));
    const share = (key: string) => Number(values.get(key) ?? 0);
    pressure[name] = {
      avg10: share('avg10'),
      avg60: share('avg60'),
      avg300: share('avg300'),
      total: parseInteger(values.get('total')) ?? 0,
    };
  }
  return pressure;
}

function readHugetlb(read: Reader, pageSizes: readonly string[]): CgroupStats['hugetlb'] {
  const sizes: Record<string, { current: Integer; limit: Integer | undefined; failures: Integer }> = {};
  for (const size of pageSizes) {
    const reserved = read(`hugetlb.${size}.rsvd.current`);
    const current = parseInteger(reserved ?? read(`hugetlb.${size}.current`));
    if (current === undefined) continue;
    const limit = parseInteger(read(`hugetlb.${size}.${reserved === undefined ? '' : 'rsvd.'}max`));
    sizes[size] = { current, limit, failures: parseCounters(read(`hugetlb.${size}.events`))['max'] ?? 0 };
  }
  return sizes;
}

/** The names that cgroup files have for the sizes of huge pages, from the names in /sys/kernel/mm/hugepages: `hugepages-2048kB` is `2MB`. */
export function hugePageSizes(directoryNames: readonly string[]): string[] {
  return directoryNames.flatMap((name) => {
    const sizeKib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    if (sizeKib === 0) return [];
    if (sizeKib >= 1 << 20) return [`${sizeKib >> 20}GB`];
    return [sizeKib >= 1 << 10 ? `${sizeKib >> 10}MB` : `${sizeKib}KB`];
  });
}
