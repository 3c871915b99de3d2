/** A step of the plan as a line for people. */
import { CAPABILITY_NAMES } from '../../../specs/runtime/linux/capabilities.ts';
import type { Seccomp } from '../../../specs/runtime/linux/seccomp.ts';
import { RLIMIT_TYPES } from '../../../specs/runtime/process.ts';
import { attributeNames, propagationName, superFlagNames } from './describe-flags.ts';
import type {
  BindStep,
  CapabilityMasks,
  DeviceStep,
  FilesystemStep,
  IdentityStep,
  PivotStep,
  ProcessStep,
  RemountStep,
  RlimitStep,
  RootfsStep,
  RootStep,
  SchedulerStep,
  Step,
} from './steps.ts';

export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'root':
    case 'mount':
    case 'bind':
    case 'remount':
    case 'device':
    case 'symlink':
    case 'console':
    case 'directory':
    case 'pivot':
    case 'mask':
    case 'readonly':
    case 'readonly-root':
      return describeRootfs(step);
    default:
      return describeProcess(step);
  }
}

function describeRootfs(step: RootfsStep): string {
  switch (step.kind) {
    case 'root':
      return root(step);
    case 'mount':
      return filesystem(step);
    case 'bind':
      return bind(step);
    case 'remount':
      return remount(step);
    case 'device':
      return device(step);
    case 'symlink':
      return `link ${step.path} -> ${step.target}${step.replace ? '' : ', unless it is there'}`;
    case 'console':
      return `make a terminal, send it to the console socket, and make it standard input, output and error${step.mount ? '; bind it to /dev/console' : ''}`;
    case 'directory':
      return `make the directory ${step.path} if it is missing`;
    case 'pivot':
      return pivot(step);
    case 'mask':
      return `mask ${step.path}`;
    case 'readonly':
      return `make ${step.path} read-only`;
    case 'readonly-root':
      return 'make the root file system read-only';
  }
}

function root(step: RootStep): string {
  return `bind ${step.path} as the root file system; all mounts become ${propagationName(step.outer)}`;
}

function options(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

function filesystem(step: FilesystemStep): string {
  const names = [
    ...attributeNames(step.attributes),
    ...superFlagNames(step.superFlags),
    ...attributeNames(step.recursiveAttributes, 'r'),
    ...step.data,
    ...step.propagations.map(propagationName),
    ...(step.copyUp ? ['tmpcopyup'] : []),
  ];
  return `mount ${step.type} on ${step.destination}${options(names)}`;
}

function bind(step: BindStep): string {
  const names = [
    ...attributeNames(step.attributes),
    ...attributeNames(step.recursiveAttributes, 'r'),
    ...step.propagations.map(propagationName),
    ...(step.prepared?.idMap === undefined ? [] : [step.prepared.idMap.recursive ? 'ridmap' : 'idmap']),
  ];
  return `bind ${step.recursive ? 'the tree ' : ''}${step.source} to ${step.destination}${options(names)}`;
}

function remount(step: RemountStep): string {
  const names = [
    ...attributeNames(step.attributes),
    ...superFlagNames(step.superFlags),
    ...attributeNames(step.recursiveAttributes, 'r'),
    ...step.data,
    ...step.propagations.map(propagationName),
  ];
  return `remount ${step.mountOnly ? 'the mount' : 'the file system'} at ${step.destination}${options(names)}`;
}

function device(step: DeviceStep): string {
  if (step.bind) return `bind the host's ${step.path}`;
  const number = step.type === 'p' ? '' : ` ${step.major}:${step.minor}`;
  return `make the device ${step.path} (${step.type}${number}, mode ${octal(step.mode)}, owner ${step.uid}:${step.gid})`;
}

function pivot(step: PivotStep): string {
  const how = { pivot: 'pivot_root', move: 'move the root mount and chroot', chroot: 'chroot' };
  return `enter the new root: ${how[step.method]}${step.propagation === undefined ? '' : `; it becomes ${propagationName(step.propagation)}`}`;
}

function describeProcess(step: ProcessStep): string {
  switch (step.kind) {
    case 'keyring':
      return `join a new session keyring ${step.name}`;
    case 'hostname':
    case 'domainname':
      return `set the ${step.kind} ${step.name}`;
    case 'sysctl':
      return `write ${JSON.stringify(step.value)} to /proc/sys/${step.file}`;
    case 'session':
      return 'lead a new session; cannot be traced';
    case 'loopback':
      return 'bring the loopback interface up';
    case 'unshare':
      return `create namespaces from within: ${step.namespaces.join(', ')}`;
    case 'become-root':
      return 'become root of the user namespace';
    case 'rlimit':
      return rlimit(step);
    case 'scheduler':
      return scheduler(step);
    case 'io-priority':
      return `set the I/O priority to 0x${step.value.toString(16)}`;
    case 'personality':
      return `set the personality to 0x${step.persona.toString(16)}`;
    case 'memory-policy':
      return `set the memory policy to mode 0x${step.mode.toString(16)}, nodes ${step.nodeMask.map((word) => `0x${word.toString(16)}`).join(' ')}`;
    case 'label':
      return `set the ${step.module} label of the process to ${step.label}`;
    case 'identity':
      return identity(step);
  }
}

export function rlimit(step: RlimitStep): string {
  return `limit ${RLIMIT_TYPES[step.resource] ?? step.resource} to ${limit(step.soft)}, at most ${limit(step.hard)}`;
}

/** `SCMP_ACT_ERRNO, but SCMP_ACT_ALLOW for 302 system calls` */
export function describeFilter({ defaultAction, syscalls = [] }: Seccomp): string {
  const counts = new Map<string, number>();
  for (const { action, names } of syscalls) counts.set(action, (counts.get(action) ?? 0) + names.length);
  const others = [...counts].map(([action, count]) => `${action} for ${count}`);
  return `load the seccomp filter: ${defaultAction}${others.length === 0 ? '' : `, but ${others.join(', ')} system calls`}`;
}

function limit(value: bigint): string {
  return value === 0xffffffffffffffffn ? 'unlimited' : String(value);
}

function scheduler(step: SchedulerStep): string {
  return `schedule by policy ${step.policy} (nice ${step.nice}, priority ${step.priority}, runtime ${step.runtimeNs}, deadline ${step.deadlineNs}, period ${step.periodNs} ns)`;
}

function identity(step: IdentityStep): string {
  return [
    `become user ${step.uid}, group ${step.gid}${step.groups.length === 0 ? '' : `, groups ${step.groups.join(' ')}`}`,
    `umask ${octal(step.umask)}, in ${step.cwd}`,
    ...(step.capabilities === undefined ? [] : [capabilities(step.capabilities)]),
    ...(step.noNewPrivileges ? ['no_new_privs'] : []),
  ].join('; ');
}

function capabilities(masks: CapabilityMasks): string {
  const { bounding, effective, permitted, inheritable, ambient } = masks;
  const sets = Object.entries({ bounding, effective, permitted, inheritable, ambient });
  return sets.map(([name, mask]) => `${name} ${capabilityNames(mask)}`).join(', ');
}

function capabilityNames(mask: bigint): string {
  const names = CAPABILITY_NAMES.filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n);
  return names.length === 0 ? 'none' : names.map((name) => name.slice('CAP_'.length)).join('+');
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
