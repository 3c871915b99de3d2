/** Namespaces of namespaces(7), by the names that the runtime specification gives them. */
export const CLONE_NEWTIME = 0x80;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

/** Flags of clone(2) and clone3(2) that are no namespaces. */
export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_THREAD = 0x10000;
export const CLONE_SYSVSEM = 0x40000;
export const CLONE_PARENT = 0x8000;
export const CLONE_INTO_CGROUP = 0x200000000;

export const NAMESPACE_TYPES = ['user', 'cgroup', 'ipc', 'uts', 'network', 'pid', 'mount', 'time'] as const;
export type NamespaceType = (typeof NAMESPACE_TYPES)[number];

interface NamespaceKind {
  readonly flag: number;
  /** Name below /proc/PID/ns. */
  readonly file: string;
}

export const NAMESPACES: Readonly<Record<NamespaceType, NamespaceKind>> = {
  user: { flag: CLONE_NEWUSER, file: 'user' },
  cgroup: { flag: CLONE_NEWCGROUP, file: 'cgroup' },
  ipc: { flag: CLONE_NEWIPC, file: 'ipc' },
  uts: { flag: CLONE_NEWUTS, file: 'uts' },
  network: { flag: CLONE_NEWNET, file: 'net' },
  pid: { flag: CLONE_NEWPID, file: 'pid' },
  mount: { flag: CLONE_NEWNS, file: 'mnt' },
  time: { flag: CLONE_NEWTIME, file: 'time' },
};
