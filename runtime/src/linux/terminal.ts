/** Terminals: modes, size (termios(3), ioctl_tty(2)). The structures are the kernel's, the same on both architectures. */
import type { Sys } from '../sys/sys.ts';
import { call, tryCall } from './call.ts';

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;

/** `struct termios`: four words of flags, c_line, c_cc[19]. */
const TERMIOS_BYTES = 36;
const IFLAG = 0;
const OFLAG = 4;
const CFLAG = 8;
const LFLAG = 12;
const CC = 17;

const VEOF = 4;
const VTIME = 5;
const VMIN = 6;

/** IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON */
const INPUT_TRANSLATION = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
const ONLCR = 0o4;
const CSIZE = 0o60;
const CS8 = 0o60;
const PARENB = 0o400;
const ICANON = 0o2;
/** ISIG, ICANON, ECHO, ECHONL, IEXTEN */
const LOCAL_TREATMENT = 0o1 | ICANON | 0o10 | 0o100 | 0o100000;

/** A terminal's modes, as read. */
export type TerminalModes = ArrayBuffer;

/** The modes of a terminal; undefined when the descriptor is none. On a pseudo-terminal both ends have the same. */
export function terminalModes(sys: Sys, fd: number): TerminalModes | undefined {
  const modes = new ArrayBuffer(TERMIOS_BYTES);
  return tryCall(sys, 'ioctl', fd, TCGETS, modes) < 0 ? undefined : modes;
}

/** @throws SyscallError ENOTTY, EIO when the terminal was hung up */
export function setTerminalModes(sys: Sys, fd: number, modes: TerminalModes): void {
  call(sys, 'ioctl', 'terminal modes', fd, TCSETS, modes);
}

/** What cfmakeraw(3) makes of the modes. `keepOutput`: other programs write to this terminal too, and want their newlines treated. */
export function rawModes(modes: TerminalModes, options: { readonly keepOutput: boolean }): TerminalModes {
  const raw = modes.slice(0);
  const view = new DataView(raw);
  clear(view, IFLAG, INPUT_TRANSLATION);
  if (!options.keepOutput) clear(view, OFLAG, OPOST);
  clear(view, CFLAG, CSIZE | PARENB);
  view.setUint32(CFLAG, view.getUint32(CFLAG, true) | CS8, true);
  clear(view, LFLAG, LOCAL_TREATMENT);
  view.setUint8(CC + VMIN, 1);
  view.setUint8(CC + VTIME, 0);
  return raw;
}

/** The modes without the carriage return that a terminal puts before each newline of the output. */
export function withoutCarriageReturns(modes: TerminalModes): TerminalModes {
  const changed = modes.slice(0);
  clear(new DataView(changed), OFLAG, ONLCR);
  return changed;
}

function clear(view: DataView, offset: number, bits: number): void {
  view.setUint32(offset, view.getUint32(offset, true) & ~bits, true);
}

/** The character that means end of file to a reader of lines; undefined when the terminal gives its reader every character as it is. */
export function endOfFileCharacter(modes: TerminalModes): number | undefined {
  const view = new DataView(modes);
  return (view.getUint32(LFLAG, true) & ICANON) === 0 ? undefined : view.getUint8(CC + VEOF);
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Undefined when the descriptor is no terminal. */
export function terminalSize(sys: Sys, fd: number): TerminalSize | undefined {
  const size = new ArrayBuffer(8);
  if (tryCall(sys, 'ioctl', fd, TIOCGWINSZ, size) < 0) return undefined;
  const view = new DataView(size);
  return { rows: view.getUint16(0, true), columns: view.getUint16(2, true) };
}

/** Sets the size, which sends SIGWINCH to the foreground processes of the terminal. Returns false when there is no terminal any more. */
export function setTerminalSize(sys: Sys, fd: number, { rows, columns }: TerminalSize): boolean {
  const size = new ArrayBuffer(8);
  const view = new DataView(size);
  view.setUint16(0, rows, true);
  view.setUint16(2, columns, true);
  return tryCall(sys, 'ioctl', fd, TIOCSWINSZ, size) === 0;
}
