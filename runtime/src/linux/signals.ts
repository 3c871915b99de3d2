/** Signals by name (signal(7); the numbers are the same on both architectures), blocking them, and receiving them through a descriptor. */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { EAGAIN, syscallError } from './errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from './open-flags.ts';

export const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  IOT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  POLL: 29,
  PWR: 30,
  SYS: 31,
  UNUSED: 31,
};

export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGPIPE = 13;
export const SIGURG = 23;

/** The first real-time signal as programs know it: the C library keeps two for itself. */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** The number of `9`, `KILL`, `SIGKILL`, `kill`, `RTMIN+3` or `SIGRTMAX-1`; undefined when it is none of these. 0 is a number: it only asks. */
export function parseSignal(text: string): number | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text) <= SIGRTMAX ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (Object.hasOwn(SIGNAL_NUMBERS, name)) return SIGNAL_NUMBERS[name];
  const [, edge, sign, offset] = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name) ?? [];
  if (edge === undefined) return undefined;
  const number = (edge === 'MIN' ? SIGRTMIN : SIGRTMAX) + (sign === '-' ? -1 : 1) * Number(offset ?? 0);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

/** The name of a signal, for messages: `SIGTERM`. */
export function signalName(number: number): string {
  const entry = Object.entries(SIGNAL_NUMBERS).find(([, value]) => value === number);
  if (entry !== undefined) return `SIG${entry[0]}`;
  return number >= SIGRTMIN && number <= SIGRTMAX ? `SIGRTMIN+${number - SIGRTMIN}` : `signal ${number}`;
}

/** The kernel's `sigset_t`: one bit for each of the 64 signals. */
const SIGSET_BYTES = 8;
const SIG_SETMASK = 2;

/** A set of signals, as the kernel takes it. */
export type SignalSet = bigint;

export function signalSet(numbers: readonly number[]): SignalSet {
  return numbers.reduce((set, number) => set | (1n << BigInt(number - 1)), 0n);
}

export const ALL_SIGNALS: SignalSet = (1n << 64n) - 1n;

function setBuffer(set: SignalSet): ArrayBuffer {
  const buffer = new ArrayBuffer(SIGSET_BYTES);
  new DataView(buffer).setBigUint64(0, set, true);
  return buffer;
}

/** Sets the calling thread's signal mask. Returns the old one. SIGKILL and SIGSTOP cannot be blocked, and are passed over. */
export function setSignalMask(sys: Sys, set: SignalSet): SignalSet {
  const old = new ArrayBuffer(SIGSET_BYTES);
  call(sys, 'rt_sigprocmask', 'the signal mask', SIG_SETMASK, setBuffer(set), old, SIGSET_BYTES);
  return new DataView(old).getBigUint64(0, true);
}

/** The calling thread's signal mask. */
export function signalMask(sys: Sys): SignalSet {
  const old = new ArrayBuffer(SIGSET_BYTES);
  call(sys, 'rt_sigprocmask', 'the signal mask', SIG_SETMASK, null, old, SIGSET_BYTES);
  return new DataView(old).getBigUint64(0, true);
}

/** A non-blocking, close-on-exec signalfd(2). It gives the signals of the set that are blocked. The caller closes it. */
export function openSignalFd(sys: Sys, set: SignalSet): number {
  return call(sys, 'signalfd4', 'signalfd', -1, setBuffer(set), SIGSET_BYTES, O_CLOEXEC | O_NONBLOCK);
}

const SIGNALFD_SIGINFO_BYTES = 128;
const SIGNALS_AT_ONCE = 16;

/** The signals that have come since the last call, in the kernel's order: `struct signalfd_siginfo`, of which the first member is the number. */
export function readSignals(sys: Sys, signalFd: number): number[] {
  const buffer = new ArrayBuffer(SIGNALS_AT_ONCE * SIGNALFD_SIGINFO_BYTES);
  const length = tryCall(sys, 'read', signalFd, buffer, buffer.byteLength);
  if (length === -EAGAIN) return [];
  if (length < 0) throw syscallError({ syscall: 'read', errno: -length, object: 'signalfd' });
  const view = new DataView(buffer);
  return Array.from({ length: length / SIGNALFD_SIGINFO_BYTES }, (_, index) => view.getUint32(index * SIGNALFD_SIGINFO_BYTES, true));
}
