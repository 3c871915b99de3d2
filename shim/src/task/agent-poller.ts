/**
 * A Poller made of epoll(7) and an init agent. Node's loop can wait for a socket, and the agent executes system calls for whoever holds its socket:
 * so the agent sits in epoll_wait, and its answer wakes the loop. That costs 44 KiB and no thread, and nobody polls.
 *
 *     loop ── "epoll_wait" ──▶ agent      … something happens …      agent ── answer ──▶ loop: asks epoll what it is, calls those who wait, "epoll_wait"
 *
 * The agent dies with this process (PR_SET_PDEATHSIG), and is replaced when somebody kills it.
 */
import { Socket } from 'node:net';
import { RESTART } from '../../../runtime/src/init/agent/protocol.ts';
import { startAgent } from '../../../runtime/src/init/agent-process.ts';
import { encodeProgram } from '../../../runtime/src/init/encode.ts';
import { Program } from '../../../runtime/src/init/program.ts';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { close, open } from '../../../runtime/src/linux/files.ts';
import { O_CLOEXEC, O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { killAndReap, SIGKILL } from '../../../runtime/src/linux/processes.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { PollEvents, Poller, Watch } from '../base/poller.ts';

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const PR_SET_PDEATHSIG = 1;
/** Descriptors of the agent. */
const EPOLL = 3;
const CHANNEL = 4;
const MOST_EVENTS = 64;
const SIGSET_BYTES = 8;

/** `struct epoll_event` is packed on x86_64 only. */
function layoutOf(sys: Sys): { readonly bytes: number; readonly data: number } {
  return sys.arch === 'x86_64' ? { bytes: 12, data: 4 } : { bytes: 16, data: 8 };
}

interface Entry {
  readonly fd: number;
  readonly ready: (events: PollEvents) => void;
  wanted: PollEvents;
}

export class AgentPoller implements Poller {
  readonly #sys: Sys;
  readonly #agentImage: () => number;
  readonly #epoll: number;
  readonly #layout: { readonly bytes: number; readonly data: number };
  readonly #events: ArrayBuffer;
  readonly #entries = new Map<number, Entry>();
  readonly #wait: { readonly message: Uint8Array; readonly replyBytes: number };
  #serial = 0;
  #channel: Socket | undefined;
  #agent = 0;
  #received = 0;

  /** @param agentImage of a Context: lent, and opened at once */
  constructor(sys: Sys, agentImage: () => number) {
    this.#sys = sys;
    this.#agentImage = agentImage;
    this.#epoll = call(sys, 'epoll_create1', 'the event loop', O_CLOEXEC);
    this.#layout = layoutOf(sys);
    this.#events = new ArrayBuffer(MOST_EVENTS * this.#layout.bytes);
    const { message, replyBytes } = encodeProgram(sys, this.#waitProgram());
    this.#wait = { message: new Uint8Array(message), replyBytes };
    this.#startAgent();
  }

  watch(fd: number, events: PollEvents, ready: (events: PollEvents) => void): Watch {
    this.#serial++;
    const key = this.#serial;
    const entry: Entry = { fd, ready, wanted: 0 };
    this.#entries.set(key, entry);
    this.#want(key, entry, events);
    return {
      want: (wanted) => {
        if (this.#entries.has(key)) this.#want(key, entry, wanted);
      },
      close: () => {
        if (!this.#entries.delete(key)) return;
        if (entry.wanted !== 0) this.#control(EPOLL_CTL_DEL, key, entry, 0);
      },
    };
  }

  /** Nothing is watched any more. */
  close(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.destroy();
    killAndReap(this.#sys, this.#agent);
    this.#agent = 0;
    this.#entries.clear();
    close(this.#sys, this.#epoll);
  }

  #want(key: number, entry: Entry, events: PollEvents): void {
    if (events === entry.wanted) return;
    if (events === 0) this.#control(EPOLL_CTL_DEL, key, entry, 0);
    else this.#control(entry.wanted === 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, key, entry, events);
    entry.wanted = events;
  }

  #control(operation: number, key: number, { fd }: Entry, events: PollEvents): void {
    const event = new ArrayBuffer(this.#layout.bytes);
    const view = new DataView(event);
    view.setUint32(0, events, true);
    view.setBigUint64(this.#layout.data, BigInt(key), true);
    call(this.#sys, 'epoll_ctl', `descriptor ${fd}`, this.#epoll, operation, fd, event);
  }

  #waitProgram(): Program {
    const program = new Program({ step: 'wait for events' });
    const one = program.output(this.#layout.bytes);
    program.call('epoll_pwait', [EPOLL, one, 1, -1, null, SIGSET_BYTES], { flags: RESTART, ignore: 'all' });
    return program;
  }

  #startAgent(): void {
    const sys = this.#sys;
    const nothing = open(sys, '/dev/null', { flags: O_RDWR });
    try {
      const fds = [
        [nothing, 0],
        [nothing, 1],
        [nothing, 2],
        [this.#epoll, EPOLL],
      ] as const;
      const agent = startAgent(sys, { image: this.#agentImage(), fds, channelFd: CHANNEL });
      this.#agent = agent.pid;
      this.#attach(new Socket({ fd: agent.channel, readable: true, writable: true }));
    } finally {
      close(sys, nothing);
    }
  }

  #attach(channel: Socket): void {
    this.#channel = channel;
    this.#received = 0;
    const first = new Program({ step: 'follow the shim' });
    first.call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
    const { message, replyBytes } = encodeProgram(this.#sys, first);
    let expected = replyBytes + this.#wait.replyBytes;
    channel.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received < expected) return;
      this.#received = 0;
      expected = this.#wait.replyBytes;
      try {
        this.#dispatch();
      } finally {
        if (this.#channel === channel) channel.write(this.#wait.message);
      }
    });
    // What an ended agent's socket says is of no interest: it is replaced.
    channel.on('error', () => undefined);
    channel.on('close', () => {
      if (this.#channel !== channel) return;
      killAndReap(this.#sys, this.#agent);
      this.#startAgent();
    });
    channel.write(new Uint8Array(message));
    channel.write(this.#wait.message);
  }

  #dispatch(): void {
    const { bytes, data } = this.#layout;
    const count = tryCall(this.#sys, 'epoll_pwait', this.#epoll, this.#events, MOST_EVENTS, 0, null, SIGSET_BYTES);
    const view = new DataView(this.#events);
    const happened = Array.from({ length: Math.max(count, 0) }, (_, index) => ({
      key: Number(view.getBigUint64(index * bytes + data, true)),
      events: view.getUint32(index * bytes, true),
    }));
    for (const { key, events } of happened) {
      // One of those before may have ended it, or want nothing any more.
      const entry = this.#entries.get(key);
      if (entry !== undefined && entry.wanted !== 0) entry.ready(events);
    }
  }
}
