/** A connection to systemd over D-Bus, by libsystemd's sd-bus(3). Synchronous; every wait has a deadline. */
import { RuntimeError } from '../../base/errors.ts';
import { EINTR, errnoText } from '../../linux/errno.ts';
import { monotonicMs } from '../../linux/poll.ts';
import type { Address, CallArgument, Sys } from '../../sys/sys.ts';
import { type BusValue, splitSignature, type Variant } from './value.ts';

const LIBRARY = 'libsystemd.so.0';
const PRIVATE_ADDRESS = 'unix:path=/run/systemd/private';
export const SYSTEMD_NAME = 'org.freedesktop.systemd1';
export const SYSTEMD_PATH = '/org/freedesktop/systemd1';
export const MANAGER_INTERFACE = 'org.freedesktop.systemd1.Manager';

export interface MethodCall {
  readonly interface: string;
  readonly member: string;
  readonly arguments: readonly Variant[];
  /** Default: the manager's. */
  readonly path?: string;
  readonly destination?: string;
}

/** `done`, `failed`, `canceled`, `timeout`, `dependency`, `skipped` */
export type JobResult = string;

/** A method that systemd answered with an error. */
export class BusError extends RuntimeError {
  /** `org.freedesktop.systemd1.UnitExists` */
  readonly busName: string;

  constructor(member: string, busName: string, message: string) {
    super('systemd', `systemd refused ${member}: ${message} (${busName})`);
    this.name = 'BusError';
    this.busName = busName;
  }
}

export interface BusOptions {
  /** The caller's own systemd (rootless) instead of the system's. */
  readonly user: boolean;
  /** How long all that is done on this connection may take. */
  readonly timeoutMs: number;
}

/** Owns one connection; `close` ends it. */
export class Bus {
  readonly #sys: Sys;
  readonly #symbols = new Map<string, Address>();
  readonly #endedJobs = new Map<string, JobResult>();
  readonly #deadlineMs: number;
  readonly #timeoutMs: number;
  #bus: Address = 0;

  /** @throws RuntimeError `systemd` when there is no libsystemd or nobody answers */
  constructor(sys: Sys, options: BusOptions) {
    this.#sys = sys;
    this.#timeoutMs = options.timeoutMs;
    this.#deadlineMs = monotonicMs(sys) + options.timeoutMs;
    try {
      if (options.user || !this.#openPrivate()) this.#openBus(options.user);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.#bus !== 0) this.#invoke('sd_bus_flush_close_unref', this.#bus);
    this.#bus = 0;
  }

  /**
   * Calls a method and returns the string (`s`, `o`, or either in a variant) that its answer starts with; '' for an empty answer.
   * @throws BusError; RuntimeError `systemd-timeout`
   */
  call(request: MethodCall): string {
    const message = this.#out((out) =>
      this.#check(
        request.member,
        this.#invoke(
          'sd_bus_message_new_method_call',
          this.#bus,
          out,
          request.destination ?? SYSTEMD_NAME,
          request.path ?? SYSTEMD_PATH,
          request.interface,
          request.member,
        ),
      ),
    );
    try {
      for (const { signature, value } of request.arguments) this.#append(message, signature, value);
      return this.#send(message, request.member);
    } finally {
      this.#invoke('sd_bus_message_unref', message);
    }
  }

  /** Waits for the end of a job that a call on this connection has queued. @throws RuntimeError `systemd-timeout` */
  waitForJob(job: string, what: string): JobResult {
    for (;;) {
      const result = this.#endedJobs.get(job);
      if (result !== undefined) return result;
      this.#invoke('sd_bus_message_unref', this.#receive(what));
    }
  }

  /** systemd's own socket needs no D-Bus daemon, and saves the way through it. Only root may use it, and not every systemd has it. */
  #openPrivate(): boolean {
    const bus = this.#out((out) => this.#check('connect', this.#invoke('sd_bus_new', out)));
    if (this.#invoke('sd_bus_set_address', bus, PRIVATE_ADDRESS) >= 0 && this.#invoke('sd_bus_start', bus) >= 0) {
      this.#bus = bus;
      return true;
    }
    this.#invoke('sd_bus_unref', bus);
    return false;
  }

  #openBus(user: boolean): void {
    this.#bus = this.#out((out) => {
      const result = this.#invoke(user ? 'sd_bus_open_user' : 'sd_bus_open_system', out);
      if (result >= 0) return;
      throw new RuntimeError(
        'systemd',
        `cannot connect to ${user ? "the user's" : "the system's"} systemd over D-Bus: ${errnoText(-result)}`,
        {
          hint: 'start dbus (for a user: set XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS), or use the cgroupfs driver, without --systemd-cgroup',
        },
      );
    });
    this.#subscribe();
  }

  /** On a bus with a daemon, signals come only to those who ask for them. */
  #subscribe(): void {
    this.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
      member: 'AddMatch',
      arguments: [{ signature: 's', value: `type='signal',interface='${MANAGER_INTERFACE}',member='JobRemoved'` }],
    });
    this.call({ interface: MANAGER_INTERFACE, member: 'Subscribe', arguments: [] });
  }

  /** Sends a message and waits for its answer. sd_bus_call(3) would give up, and lose the answer, when a signal comes. */
  #send(message: Address, member: string): string {
    const cookie = this.#out((out) => this.#check(member, this.#invoke('sd_bus_send', this.#bus, message, out)));
    for (;;) {
      const reply = this.#receive(member);
      try {
        if (!this.#answers(reply, cookie)) continue;
        // struct sd_bus_error {const char *name, *message; …}, NULL for an answer that is none
        const error = this.#address('sd_bus_message_get_error', reply);
        if (error === 0) return this.#firstString(reply);
        const fields = this.#sys.peek(error, 16);
        throw new BusError(member, this.#text(readAddress(fields)), this.#text(readAddress(fields, 8)));
      } finally {
        this.#invoke('sd_bus_message_unref', reply);
      }
    }
  }

  #answers(message: Address, cookie: number): boolean {
    return this.#out((out) => this.#invoke('sd_bus_message_get_reply_cookie', message, out)) === cookie;
  }

  /** The next message, which the caller unrefs. Ends of jobs are noted on the way: they may come before the answer that names the job. */
  #receive(what: string): Address {
    for (;;) {
      const message = this.#out((out) => this.#check(what, this.#invoke('sd_bus_process', this.#bus, out)));
      if (message !== 0) {
        if (this.#invoke('sd_bus_message_is_signal', message, MANAGER_INTERFACE, 'JobRemoved') > 0) this.#noteJob(message);
        return message;
      }
      const result = this.#invoke('sd_bus_wait', this.#bus, this.#leftUs(what));
      if (result !== -EINTR) this.#check(what, result);
    }
  }

  /** JobRemoved(u id, o job, s unit, s result) */
  #noteJob(message: Address): void {
    this.#invoke('sd_bus_message_skip', message, 'u');
    const job = this.#readString(message, 'o');
    this.#invoke('sd_bus_message_skip', message, 's');
    this.#endedJobs.set(job, this.#readString(message, 's'));
  }

  #firstString(reply: Address): string {
    const signature = this.#text(this.#address('sd_bus_message_get_signature', reply, 1));
    if (signature === 'v') {
      for (const inner of ['s', 'o']) {
        if (this.#invoke('sd_bus_message_enter_container', reply, code('v'), inner) > 0) return this.#readString(reply, inner);
      }
      return '';
    }
    return signature.startsWith('s') || signature.startsWith('o') ? this.#readString(reply, signature.slice(0, 1)) : '';
  }

  #append(message: Address, signature: string, value: BusValue): void {
    if (Array.isArray(value)) {
      const isArray = signature.startsWith('a');
      const inner = isArray ? signature.slice(1) : signature.slice(1, -1);
      const types = isArray ? [] : splitSignature(inner);
      this.#container(message, CONTAINER_KINDS[signature[0] ?? ''] ?? '', inner, () => {
        for (const [index, item] of value.entries()) this.#append(message, types[index] ?? inner, item);
      });
    } else if (signature === 'v') {
      const variant = value as Variant;
      this.#container(message, 'v', variant.signature, () => this.#append(message, variant.signature, variant.value));
    } else {
      this.#check('append', this.#invoke('sd_bus_message_append_basic', message, code(signature), basic(signature, value)));
    }
  }

  #container(message: Address, kind: string, contents: string, fill: () => void): void {
    this.#check('append', this.#invoke('sd_bus_message_open_container', message, code(kind), contents));
    fill();
    this.#check('append', this.#invoke('sd_bus_message_close_container', message));
  }

  #readString(message: Address, type: string): string {
    return this.#text(this.#out((out) => this.#check('read', this.#invoke('sd_bus_message_read_basic', message, code(type), out))));
  }

  /** The text at an address of a NUL-terminated string; '' for NULL. */
  #text(address: Address): string {
    if (address === 0) return '';
    const length = this.#sys.call(this.#symbol('libc.so.6', 'strlen'), address);
    return this.#sys.decode(this.#sys.peek(address, length));
  }

  /** Runs a call that stores an address. */
  #out(action: (out: ArrayBuffer) => unknown): Address {
    const out = new ArrayBuffer(8);
    action(out);
    return readAddress(out);
  }

  #check(what: string, result: number): number {
    if (result < 0) throw new RuntimeError('systemd', `talking to systemd (${what}): ${errnoText(-result)}`);
    return result;
  }

  #leftUs(what: string): bigint {
    const leftMs = this.#deadlineMs - monotonicMs(this.#sys);
    if (leftMs <= 0) throw this.#timeout(what);
    return BigInt(Math.ceil(leftMs * 1000));
  }

  #timeout(what: string): RuntimeError {
    return new RuntimeError('systemd-timeout', `systemd did not finish ${what} within ${this.#timeoutMs} ms`, {
      hint: 'see what systemd is doing: systemctl list-jobs',
    });
  }

  /** Calls a function of libsystemd that returns an int. */
  #invoke(name: string, ...args: CallArgument[]): number {
    return this.#address(name, ...args) | 0;
  }

  #address(name: string, ...args: CallArgument[]): number {
    return this.#sys.call(this.#symbol(LIBRARY, name), ...args);
  }

  #symbol(library: string, name: string): Address {
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    const address = this.#sys.symbol(library, name);
    if (address === 0) {
      throw new RuntimeError('systemd', `the systemd cgroup driver needs ${name} of ${library}`, {
        hint: 'install libsystemd (Debian: libsystemd0, Fedora: systemd-libs), or use the cgroupfs driver, without --systemd-cgroup',
      });
    }
    this.#symbols.set(name, address);
    return address;
  }
}

/** SD_BUS_TYPE_… of a container by the first letter of its type. */
const CONTAINER_KINDS: Readonly<Record<string, string>> = { a: 'a', '(': 'r', '{': 'e' };

function readAddress(buffer: ArrayBuffer, offset = 0): Address {
  return Number(new DataView(buffer).getBigUint64(offset, true));
}

/** A type's letter as the char that sd-bus takes. */
function code(type: string): number {
  return type.charCodeAt(0);
}

/** A basic value as sd-bus takes it: strings by their address, everything else by the address of the value. */
function basic(signature: string, value: BusValue): string | ArrayBuffer {
  if (typeof value === 'string') return value;
  const buffer = new ArrayBuffer(8);
  const view = new DataView(buffer);
  if (signature === 'd') view.setFloat64(0, Number(value), true);
  // Little-endian: the low bytes of the 64-bit form are the shorter integer.
  else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value as boolean | number | bigint)), true);
  return buffer;
}
