/** Receiving the signals that come to this process, instead of dying of them. */
import { RuntimeError } from '../base/errors.ts';
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';
import { EAGAIN, syscallError } from './errno.ts';
import { close, listDirectory, writeAll } from './files.ts';
import { O_CLOEXEC, O_NONBLOCK } from './open-flags.ts';
import { ALL_SIGNALS, openSignalFd, readSignals, setSignalMask } from './signals.ts';

/** Signals as they come. While it is open, none of them has its usual effect on this process (SIGKILL and SIGSTOP aside). */
export interface SignalSource {
  /** Readable when there are signals. */
  readonly fd: number;
  /** The signals that have come since the last call. */
  read(): number[];
  /** Signals are again what they were before. Those that were not read are forgotten. */
  close(): void;
}

/**
 * A process with one thread blocks all signals and reads them from a signalfd(2). Where there are more threads (Node has), blocking does not
 * help, since the kernel hands a signal to any thread that does not block it: there a handler writes the signal's number to a pipe.
 */
export function openSignalSource(sys: Sys): SignalSource {
  return listDirectory(sys, '/proc/self/task').length === 1 ? blockedSignals(sys) : handledSignals(sys);
}

function blockedSignals(sys: Sys): SignalSource {
  const before = setSignalMask(sys, ALL_SIGNALS);
  let fd: number;
  try {
    fd = openSignalFd(sys, ALL_SIGNALS);
  } catch (error) {
    setSignalMask(sys, before);
    throw error;
  }
  return {
    fd,
    read: () => readSignals(sys, fd),
    close: () => {
      // One that came too late to be read has no effect, rather than a late one.
      while (readSignals(sys, fd).length > 0);
      close(sys, fd);
      setSignalMask(sys, before);
    },
  };
}

/** Left alone: the process's own faults (ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS), what cannot be handled (KILL, STOP), and the C library's two. */
const NOT_HANDLED: readonly number[] = [4, 5, 6, 7, 8, 9, 11, 19, 31, 32, 33];
const LAST_SIGNAL = 64;

const PROT_READ = 1;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const PAGE_BYTES = 4096;
const MFD_CLOEXEC = 1;

/**
 * `void handler(int signal) { write(FD, &signal, 1); }` without a C library: it touches neither errno nor any lock, so it may interrupt whatever
 * the engine does. Both architectures are little-endian: the number's first byte is the number.
 */
function handlerCode(sys: Sys, fd: number): ArrayBuffer {
  const code = new ArrayBuffer(32);
  const view = new DataView(code);
  if (sys.arch === 'x86_64') {
    const bytes = new Uint8Array(code);
    bytes.set([0x57]); //                                push rdi
    bytes.set([0x48, 0x89, 0xe6], 1); //                 mov rsi, rsp
    bytes.set([0xba, 1, 0, 0, 0], 4); //                 mov edx, 1
    bytes.set([0xbf], 9); //                             mov edi, FD
    view.setUint32(10, fd, true);
    bytes.set([0xb8, 1, 0, 0, 0], 14); //                mov eax, SYS_write
    bytes.set([0x0f, 0x05, 0x5f, 0xc3], 19); //          syscall; pop rdi; ret
    return code;
  }
  const words = [
    0xf81f0fe0, //                                       str x0, [sp, #-16]!
    0x52800000 + fd * 32, //                             mov w0, #FD
    0x910003e1, //                                       mov x1, sp
    0xd2800022, //                                       mov x2, #1
    0xd2800808, //                                       mov x8, #64 (write)
    0xd4000001, //                                       svc #0
    0x910043ff, //                                       add sp, sp, #16
    0xd65f03c0, //                                       ret
  ];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return code;
}

/** Maps the handler from a memfd: no page is ever writable and executable. */
function mapHandler(sys: Sys, fd: number): number {
  const file = call(sys, 'memfd_create', 'the signal handler', 'tsrun-signals', MFD_CLOEXEC);
  try {
    writeAll(sys, file, handlerCode(sys, fd), 'the signal handler');
    return call(sys, 'mmap', 'the signal handler', 0, PAGE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  } finally {
    close(sys, file);
  }
}

/** The C library's `struct sigaction` (glibc and musl): handler, sa_mask of 128 bytes, sa_flags, sa_restorer. */
const SIGACTION_BYTES = 152;
const SA_FLAGS = 136;
const SA_RESTART = 0x10000000;
const MOST_SIGNALS = 1024;

function handledSignals(sys: Sys): SignalSource {
  // The C library's function, since it knows how a handler returns (sa_restorer).
  const sigaction = sys.symbol('libc.so.6', 'sigaction') || sys.symbol('libc.so', 'sigaction');
  if (sigaction === 0) throw new RuntimeError('missing-symbol', 'the C library has no sigaction');
  const pipe = new ArrayBuffer(8);
  call(sys, 'pipe2', 'the signal pipe', pipe, O_CLOEXEC | O_NONBLOCK);
  const [reader, writer] = [new DataView(pipe).getInt32(0, true), new DataView(pipe).getInt32(4, true)];
  const action = new ArrayBuffer(SIGACTION_BYTES);
  const handler = mapHandler(sys, writer);
  new DataView(action).setBigUint64(0, BigInt(handler), true);
  new DataView(action).setUint32(SA_FLAGS, SA_RESTART, true);
  const before: (readonly [number, ArrayBuffer])[] = [];
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    if (NOT_HANDLED.includes(signal)) continue;
    const old = new ArrayBuffer(SIGACTION_BYTES);
    if ((sys.call(sigaction, signal, action, old) | 0) === 0) before.push([signal, old]);
  }
  return {
    fd: reader,
    read: () => readPipe(sys, reader),
    close: () => {
      for (const [signal, old] of before) sys.call(sigaction, signal, old, null);
      // The handler and the pipe's end it writes to stay: another thread may be in it.
      close(sys, reader);
    },
  };
}

function readPipe(sys: Sys, fd: number): number[] {
  const buffer = new ArrayBuffer(MOST_SIGNALS);
  const length = tryCall(sys, 'read', fd, buffer, buffer.byteLength);
  if (length === -EAGAIN) return [];
  if (length < 0) throw syscallError({ syscall: 'read', errno: -length, object: 'the signal pipe' });
  return [...new Uint8Array(buffer, 0, length)];
}
