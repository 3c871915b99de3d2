/** Loading a device program into the kernel and attaching it to a cgroup: bpf(2). */
import { RuntimeError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { EACCES, EAGAIN, EPERM, errnoText, syscallError } from '../linux/errno.ts';
import { close } from '../linux/files.ts';
import type { Sys } from '../sys/sys.ts';
import { INSTRUCTION_BYTES } from './bpf.ts';
import { deviceProgram } from './device-program.ts';
import { allowsEverything, type DevicePolicy, isAllowList } from './device-rules.ts';

export interface AttachOptions {
  /** The cgroup is new: it can have no program of an earlier container or policy, so none is looked for. */
  readonly isNew: boolean;
  /**
   * The caller runs without the privileges for bpf(2) (rootless, or in a user namespace), where a container can reach no device that its user
   * cannot reach. A policy that takes something back from an allow-list is still an error.
   */
  readonly optional?: boolean;
}

/**
 * Makes a policy hold for a cgroup and everything below it. A program that we attached before is replaced in one step, so that at no time
 * more is allowed than by the old or the new policy. Programs of others (systemd's) stay: all of them must allow an access.
 *
 * @param cgroupFd descriptor of the cgroup's directory, O_PATH will do
 * @returns false when the policy could not be attached and is optional
 * @throws RuntimeError `device-program` with the verifier's log; SyscallError
 */
export function attachDevicePolicy(sys: Sys, cgroupFd: number, policy: DevicePolicy, options: AttachOptions): boolean {
  if (options.isNew && allowsEverything(policy)) return true;
  const programFd = load(sys, deviceProgram(policy));
  if (programFd < 0) {
    if (options.optional === true && isAllowList(policy)) return false;
    throw notPermitted(-programFd);
  }
  try {
    const old = options.isNew ? [] : attachedPrograms(sys, cgroupFd);
    try {
      attach(sys, cgroupFd, programFd, old[0]);
      for (const extra of old.slice(1)) detach(sys, cgroupFd, extra);
    } finally {
      for (const fd of old) close(sys, fd);
    }
  } finally {
    // An attached program lives as long as its cgroup.
    close(sys, programFd);
  }
  return true;
}

/** What is attached, beside what `attachDevicePolicy` attaches for a policy. */
export type AttachedPolicy = 'the same' | 'another' | 'none';

/** Programs are compared by the kernel's digest of their instructions. @throws SyscallError where the kernel does not tell */
export function attachedPolicy(sys: Sys, cgroupFd: number, policy: DevicePolicy): AttachedPolicy {
  const programs = attachedPrograms(sys, cgroupFd);
  try {
    const [attached, ...more] = programs;
    if (attached === undefined) return allowsEverything(policy) ? 'the same' : 'none';
    const wanted = load(sys, deviceProgram(policy));
    if (wanted < 0) throw syscallError({ syscall: 'bpf', errno: -wanted, object: 'the device program' });
    const same = more.length === 0 && programInfo(sys, attached).tag === programInfo(sys, wanted).tag;
    close(sys, wanted);
    return same ? 'the same' : 'another';
  } finally {
    for (const fd of programs) close(sys, fd);
  }
}

// enum bpf_cmd, enum bpf_attach_type, and flags of linux/bpf.h
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const BPF_PROG_GET_FD_BY_ID = 13;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_PROG_QUERY = 16;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;
const BPF_F_REPLACE = 4;

/** By its name a program is known as ours, here and in `bpftool cgroup show`. At most 15 characters. */
const PROGRAM_NAME = 'tsrun_devices';
/** Named for the kernel's taint check only; no GPL-only helper is called. */
const LICENSE = 'Apache-2.0';

/**
 * `union bpf_attr`. Longer than what each command has: the kernel wants zeros there, and Linux 6.17 to 7.1 write the `revision` of a query at
 * its place however short the caller said that its attribute is.
 */
const ATTRIBUTE_BYTES = 128;

function attribute(...fields: readonly (readonly [offset: number, value: number])[]): {
  readonly buffer: ArrayBuffer;
  readonly view: DataView;
} {
  const buffer = new ArrayBuffer(ATTRIBUTE_BYTES);
  const view = new DataView(buffer);
  for (const [offset, value] of fields) view.setUint32(offset, value, true);
  return { buffer, view };
}

function bpf(sys: Sys, command: number, buffer: ArrayBuffer): number {
  return tryCall(sys, 'bpf', command, buffer, buffer.byteLength);
}

/** How often a load is tried that a signal interrupts (EAGAIN). */
const LOAD_ATTEMPTS = 30;
const LOG_BYTES = 65536;

/** A descriptor of the loaded program, or negated EPERM or EACCES. The verifier writes its log only when a first attempt without it failed. */
function load(sys: Sys, program: ArrayBuffer): number {
  const license = sys.encode(`${LICENSE}\0`);
  const { buffer, view } = attribute([0, BPF_PROG_TYPE_CGROUP_DEVICE], [4, program.byteLength / INSTRUCTION_BYTES]);
  view.setBigUint64(8, BigInt(sys.address(program)), true);
  view.setBigUint64(16, BigInt(sys.address(license)), true);
  new Uint8Array(buffer, 48).set(new Uint8Array(sys.encode(PROGRAM_NAME)));
  let result = -EAGAIN;
  for (let attempt = 0; attempt < LOAD_ATTEMPTS && result === -EAGAIN; attempt++) result = bpf(sys, BPF_PROG_LOAD, buffer);
  if (result >= 0 || result === -EPERM) return result;
  const log = new ArrayBuffer(LOG_BYTES);
  view.setUint32(24, 1, true);
  view.setUint32(28, log.byteLength, true);
  view.setBigUint64(32, BigInt(sys.address(log)), true);
  const errno = -result;
  result = bpf(sys, BPF_PROG_LOAD, buffer);
  if (result >= 0) return result;
  const text = sys.decode(log).split('\0', 1)[0]?.trim() ?? '';
  // EACCES with a log comes from the verifier, without one from a security module.
  if (text === '' && errno === EACCES) return -errno;
  throw new RuntimeError('device-program', `cannot load the device program: ${errnoText(errno)}${text === '' ? '' : `: ${text}`}`, {
    configPath: 'linux.resources.devices',
  });
}

/** Descriptors of our programs on a cgroup; the caller closes them. */
function attachedPrograms(sys: Sys, cgroupFd: number): number[] {
  // A cgroup can have 64 programs of a kind (BPF_CGROUP_MAX_PROGS).
  const ids = new Uint32Array(new ArrayBuffer(64 * 4));
  const { buffer, view } = attribute([0, cgroupFd], [4, BPF_CGROUP_DEVICE], [24, ids.length]);
  view.setBigUint64(16, BigInt(sys.address(ids.buffer as ArrayBuffer)), true);
  const result = bpf(sys, BPF_PROG_QUERY, buffer);
  if (result < 0) throw syscallError({ syscall: 'bpf', errno: -result, object: 'query of attached device programs' });
  const fds: number[] = [];
  for (const id of ids.subarray(0, view.getUint32(24, true))) {
    // A security module may refuse us somebody else's program; and one may be gone by now.
    const fd = bpf(sys, BPF_PROG_GET_FD_BY_ID, attribute([0, id]).buffer);
    if (fd < 0) continue;
    if (programInfo(sys, fd).name === PROGRAM_NAME) fds.push(fd);
    else close(sys, fd);
  }
  return fds;
}

interface ProgramInfo {
  readonly name: string;
  /** Digest of the instructions, in hexadecimal. */
  readonly tag: string;
}

const TAG_OFFSET = 8;
const TAG_BYTES = 8;
const NAME_OFFSET = 64;
const NAME_BYTES = 16;

/** Of `struct bpf_prog_info`; empty texts where the kernel does not tell. */
function programInfo(sys: Sys, programFd: number): ProgramInfo {
  const info = new ArrayBuffer(ATTRIBUTE_BYTES);
  const { buffer, view } = attribute([0, programFd], [4, info.byteLength]);
  view.setBigUint64(8, BigInt(sys.address(info)), true);
  if (bpf(sys, BPF_OBJ_GET_INFO_BY_FD, buffer) < 0) return { name: '', tag: '' };
  const tag = [...new Uint8Array(info, TAG_OFFSET, TAG_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { name: sys.decode(info, NAME_OFFSET, NAME_BYTES).split('\0', 1)[0] ?? '', tag };
}

function attach(sys: Sys, cgroupFd: number, programFd: number, replacedFd: number | undefined): void {
  const flags = replacedFd === undefined ? BPF_F_ALLOW_MULTI : BPF_F_ALLOW_MULTI | BPF_F_REPLACE;
  const { buffer } = attribute([0, cgroupFd], [4, programFd], [8, BPF_CGROUP_DEVICE], [12, flags], [16, replacedFd ?? 0]);
  const result = bpf(sys, BPF_PROG_ATTACH, buffer);
  if (result < 0) throw attachError('attaching the device program to the cgroup', -result);
}

function detach(sys: Sys, cgroupFd: number, programFd: number): void {
  const result = bpf(sys, BPF_PROG_DETACH, attribute([0, cgroupFd], [4, programFd], [8, BPF_CGROUP_DEVICE]).buffer);
  if (result < 0) throw attachError('detaching an old device program from the cgroup', -result);
}

function attachError(object: string, errno: number): Error {
  return syscallError({ syscall: 'bpf', errno, object, configPath: 'linux.resources.devices' });
}

function notPermitted(errno: number): RuntimeError {
  const hint = 'run as root with CAP_BPF and CAP_SYS_ADMIN, or take the rules that deny devices out of linux.resources.devices';
  return new RuntimeError('device-program', `linux.resources.devices cannot be applied: bpf: ${errnoText(errno)}; ${hint}`, {
    configPath: 'linux.resources.devices',
    hint,
  });
}
