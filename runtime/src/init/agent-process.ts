/** Starting the init agent: a static ELF in a sealed memfd, which nothing that runs later can change (CVE-2019-5736). */
import { call, tryCall } from '../linux/call.ts';
import { close, writeAll } from '../linux/files.ts';
import { socketPair } from '../linux/sockets.ts';
import { spawn } from '../linux/spawn.ts';
import type { Architecture, Sys } from '../sys/sys.ts';
import { AGENT_AARCH64 } from './agent/agent-aarch64.gen.ts';
import { AGENT_X86_64 } from './agent/agent-x86_64.gen.ts';

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Linux 6.3; without it systems with vm.memfd_noexec=1 make a memfd that cannot be executed. */
const MFD_EXEC = 0x10;
const F_DUPFD_CLOEXEC = 1030;
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;
const F_SEAL_EXEC = 0x20;

/** Decoded when the program is loaded. */
const AGENTS: Readonly<Record<Architecture, ArrayBuffer>> = { x86_64: bytesOf(AGENT_X86_64), aarch64: bytesOf(AGENT_AARCH64) };

/** By arithmetic: Node does this at every start. */
function bytesOf(hexadecimal: string): ArrayBuffer {
  const bytes = new Uint8Array(hexadecimal.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = 16 * digitOf(hexadecimal.charCodeAt(index * 2)) + digitOf(hexadecimal.charCodeAt(index * 2 + 1));
  }
  return bytes.buffer;
}

/** The value of one of 0–9 and a–f. */
function digitOf(character: number): number {
  return character < 0x3a ? character - 0x30 : character - 0x57;
}

/**
 * A sealed memfd holding the agent. The caller closes it. One can serve any number of agents: the warm shim keeps one for its whole life.
 */
export function openAgentImage(sys: Sys): number {
  const name = 'tsrun-init';
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  let fd = tryCall(sys, 'memfd_create', name, flags | MFD_EXEC);
  if (fd < 0) fd = call(sys, 'memfd_create', name, name, flags);
  try {
    writeAll(sys, fd, AGENTS[sys.arch], name);
    const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    // F_SEAL_EXEC forbids changing the mode; kernels before 6.3 do not know it.
    if (tryCall(sys, 'fcntl', fd, F_ADD_SEALS, seals | F_SEAL_EXEC) < 0) call(sys, 'fcntl', name, fd, F_ADD_SEALS, seals);
    return fd;
  } catch (error) {
    close(sys, fd);
    throw error;
  }
}

export interface AgentOptions {
  /** A sealed image from `openAgentImage`. */
  readonly image: number;
  /** Descriptors for the agent: [ours, its]. Standard input, output and error are among them. */
  readonly fds: readonly (readonly [number, number])[];
  /** The number the channel gets in the agent: above all in `fds` that must survive into the container. */
  readonly channelFd: number;
}

/** A running agent. The holder closes the channel and reaps the process. */
export interface AgentProcess {
  readonly pid: number;
  readonly channel: number;
}

/** Starts an agent, a child of this process. */
export function startAgent(sys: Sys, options: AgentOptions): AgentProcess {
  const image = imageAbove(sys, options);
  const [channel, theirs] = socketPair(sys);
  try {
    const pid = spawn(sys, {
      path: `/proc/self/fd/${image}`,
      // The agent learns the channel's number from argc: see `agent/README.md`. The first word is what ps(1) shows.
      argv: ['tsrun-init', ...new Array<string>(options.channelFd - 1).fill('')],
      environ: [],
      fds: [...options.fds, [theirs, options.channelFd]],
    });
    return { pid, channel };
  } catch (error) {
    close(sys, channel);
    throw error;
  } finally {
    close(sys, theirs);
    if (image !== options.image) close(sys, image);
  }
}

/** The image is opened by its number after the agent's descriptors have been put in their places: it must not be in one of these places. */
function imageAbove(sys: Sys, { image, fds, channelFd }: AgentOptions): number {
  const highest = fds.reduce((most, [, target]) => Math.max(most, target), channelFd);
  return image > highest ? image : call(sys, 'fcntl', 'the agent image', image, F_DUPFD_CLOEXEC, highest + 1);
}
