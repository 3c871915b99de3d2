/**
 * The Node side of Sys, and the only file that knows koffi.
 *
 * Every C function is called by one form: six 64-bit integers in, one out. Of koffi's forms this is the fastest (1.5 µs a call, a quarter more with
 * strings; `void *` and `str` parameters cost up to twice as much), and it treats addresses as what they are to the kernel: numbers.
 */
import koffi from 'koffi';
import type { Address, Architecture, CallArgument, Sys } from './sys.ts';

type Register = number | bigint;

const RTLD_NOW = 2;
/** Of most calls the strings fit in here; longer ones get a buffer of their own. */
const SCRATCH_BYTES = 65_536;

/**
 * A Sys for the calling thread: errno is the thread's own, and so is the scratch space.
 * Throws when this machine's architecture is not one the runtime knows.
 */
export function createNodeSys(): Sys {
  const libc = koffi.load(null);
  const integers = Array<string>(6).fill('int64');
  const functionType = koffi.proto('int64', integers);
  // Not declared variadic, as in the header: on both architectures syscall(2) finds its arguments in the same registers, and this is faster.
  const rawSyscall = libc.func('syscall', 'int64', ['int64', ...integers]);
  const dlopen = libc.func('dlopen', 'int64', ['str', 'int']);
  const dlsym = libc.func('dlsym', 'int64', ['int64', 'str']);
  const memcpy = libc.func('memcpy', 'int64', ['int64', 'int64', 'int64']);
  const strings = new StringArguments();

  function registers(args: readonly CallArgument[]): Register[] {
    if (args.length > 6) {
      throw new TypeError('a call takes at most six arguments');
    }
    const values: Register[] = [0, 0, 0, 0, 0, 0];
    for (const [index, argument] of args.entries()) {
      values[index] = typeof argument === 'string' ? strings.place(argument) : registerOf(argument);
    }
    return values;
  }

  return {
    arch: architecture(process.arch),
    argv: ['tsrun', ...process.argv.slice(2)],
    environ: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),

    syscall(nr: number, ...args: CallArgument[]): number {
      try {
        const result = Number(rawSyscall(nr, ...registers(args)));
        return result === -1 ? -koffi.errno() : result;
      } finally {
        strings.release();
      }
    },

    symbol(library: string, name: string): Address {
      refuseNul(library);
      refuseNul(name);
      const handle = dlopen(library, RTLD_NOW);
      return handle === 0 ? 0 : Number(dlsym(handle, name));
    },

    call(pointer: Address, ...args: CallArgument[]): number {
      if (pointer === 0) {
        throw new TypeError('there is no function at address 0');
      }
      try {
        return Number(koffi.call(pointer, functionType, ...registers(args)));
      } finally {
        strings.release();
      }
    },

    address: addressOf,

    peek(address: Address, length: number): ArrayBuffer {
      const copy = new ArrayBuffer(length);
      if (length > 0) {
        memcpy(addressOf(copy), address, length);
      }
      return copy;
    },

    encode(text: string): ArrayBuffer {
      const copy = new ArrayBuffer(Buffer.byteLength(text));
      Buffer.from(copy).write(text);
      return copy;
    },

    decode(buffer: ArrayBuffer, offset = 0, length = buffer.byteLength - offset): string {
      return Buffer.from(buffer, offset, length).toString();
    },
  };
}

/** NUL-terminated strings for one call: they stay where they are until `release`. */
class StringArguments {
  readonly #scratch = Buffer.from(new ArrayBuffer(SCRATCH_BYTES));
  readonly #scratchAddress = addressOf(this.#scratch.buffer);
  readonly #long: ArrayBuffer[] = [];
  #used = 0;

  place(text: string): Address {
    refuseNul(text);
    // No UTF-16 unit takes more than three bytes, so the length need not be counted first.
    if (this.#used + 3 * text.length < SCRATCH_BYTES) {
      const start = this.#used;
      const end = start + this.#scratch.write(text, start);
      this.#scratch[end] = 0;
      this.#used = end + 1;
      return this.#scratchAddress + start;
    }
    const own = new ArrayBuffer(Buffer.byteLength(text) + 1);
    Buffer.from(own).write(text);
    this.#long.push(own);
    return addressOf(own);
  }

  release(): void {
    this.#used = 0;
    this.#long.length = 0;
  }
}

function registerOf(argument: number | bigint | ArrayBuffer | null): Register {
  switch (typeof argument) {
    case 'number':
      return argument;
    case 'bigint':
      return BigInt.asIntN(64, argument);
    default:
      return argument === null ? 0 : addressOf(argument);
  }
}

/** Only ever of an ArrayBuffer, which V8 never moves; the bytes of a small typed array may lie on its moving heap. */
function addressOf(buffer: ArrayBuffer): Address {
  // Checked, since what is passed by mistake must not become the descriptor 0. By name, since a test's realm has another constructor.
  if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') {
    throw new TypeError('an argument must be a number, a bigint, a string, an ArrayBuffer or null');
  }
  return Number(koffi.address(buffer));
}

function refuseNul(text: string): void {
  if (text.includes('\0')) {
    throw new TypeError('a string with a NUL character cannot be given to C');
  }
}

function architecture(name: string): Architecture {
  switch (name) {
    case 'x64':
      return 'x86_64';
    case 'arm64':
      return 'aarch64';
    default:
      throw new Error(`tsrun knows x86_64 and aarch64, not ${name}`);
  }
}
