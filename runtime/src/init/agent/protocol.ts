/**
 * The numbers of the init agent's protocol: `agent.inc` for TypeScript. `README.md` beside this file explains them.
 */

/** Where the agent's buffer lies in the agent, on every architecture. A message lies at its start. */
export const BUF = 0x20000000;
/** The size of the buffer, and so the longest message. */
export const SIZE = 0x1000000;

/** Offsets in a message's header, all u32. */
export const HEADER_LENGTH = 0;
export const HEADER_OP_COUNT = 4;
export const HEADER_DONE = 8;
export const HEADER_REPLY_LENGTH = 12;
export const HEADER_SIZE = 16;

/** Offsets in an op. Ops follow the header without gaps. */
export const OP_NR = 0;
export const OP_FLAGS = 4;
export const OP_ARGS = 8;
export const OP_RESULT = 56;
export const OP_JUMP = 64;
export const OP_IGNORED_ERRNO = 68;
export const OP_PAD = 72;
export const OP_SIZE = 80;

/** Flag bit i, for i from 0 to 5: argument i is the address of the value. */
export const indirect = (i: 0 | 1 | 2 | 3 | 4 | 5): number => 1 << i;
/** No error stops the program. */
export const IGNORE_ALL = 0x40;
/** Jump when the result is 0. */
export const JUMP_IF_ZERO = 0x80;
/** Jump when the result is no error. */
export const JUMP_IF_OK = 0x100;
/** Jump when the result is an error, which then does not stop the program. */
export const JUMP_IF_ERROR = 0x200;
/** No system call: write args[1] to address args[0]; the result is args[1]. */
export const STORE = 0x400;
/** The same, writing only the low 32 bits. */
export const STORE32 = 0x800;
/** Jump whatever the result. */
export const JUMP = 0x1000;
/** When a signal interrupts the call (EINTR), call again. */
export const RESTART = 0x2000;
/** When the kernel wants to be asked again (EAGAIN), call again. */
export const RETRY = 0x8000;
/** A result that is no error becomes the channel's descriptor. */
export const SET_CHANNEL = 0x4000;

/** Exit status of an agent that got a message whose lengths are out of range. */
export const EXIT_REFUSED = 252;
/** Exit status of an agent whose channel is at its end, or broken. */
export const EXIT_GONE = 253;
