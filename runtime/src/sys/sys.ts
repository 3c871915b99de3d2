/**
 * The one narrow interface between the runtime's library and the outside world.
 *
 * Two engines implement it: Node through koffi (`node.ts`) and QuickJS-ng through a small C host (`runtime/native/host.c`).
 * Everything is synchronous; waiting is done in the kernel (`ppoll`, `waitid`, `read`).
 */

/**
 * What a raw system call or a C function can be given: an integer, a string (passed as the address of its NUL-terminated UTF-8 bytes, which live
 * only until the call returns), a buffer (passed as its address), or null for 0. A string holding a NUL character is refused with a `TypeError`.
 */
export type CallArgument = number | bigint | string | ArrayBuffer | null;

/** An address in this process. User-space addresses are below 2^48 on Linux, so a number holds them exactly. */
export type Address = number;

export type Architecture = 'x86_64' | 'aarch64';

export interface Sys {
  readonly arch: Architecture;
  /** The command line, `argv[0]` being the command itself (no interpreter, no script). */
  readonly argv: readonly string[];
  /** The environment as the kernel has it: `NAME=value`, in order. */
  readonly environ: readonly string[];

  /** syscall(2). Returns the result, or the negated errno. At most six arguments. */
  syscall(nr: number, ...args: CallArgument[]): number;

  /** dlopen(3) + dlsym(3). Returns 0 when the library or the symbol is missing. The library stays loaded. */
  symbol(library: string, name: string): Address;

  /**
   * Calls a C function with at most six integer or pointer arguments and returns the whole result register as a signed 64-bit integer.
   * For a function returning `int`, the caller takes `| 0` of it. Results beyond 2^53 lose their low bits.
   */
  call(pointer: Address, ...args: CallArgument[]): number;

  /** The address of a buffer's first byte: stable for the buffer's life; the caller keeps the buffer reachable while the kernel may use it. */
  address(buffer: ArrayBuffer): Address;

  /** Copies `length` bytes out of this process's memory. */
  peek(address: Address, length: number): ArrayBuffer;

  /** UTF-8 bytes of a string, without a terminating NUL. Lone surrogates become U+FFFD. */
  encode(text: string): ArrayBuffer;

  /** Text of UTF-8 bytes; invalid sequences become U+FFFD. `length` defaults to the rest of the buffer. */
  decode(buffer: ArrayBuffer, offset?: number, length?: number): string;
}
