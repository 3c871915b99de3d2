/** One sentence for each command and flag. */

export interface CommandHelp {
  readonly summary: string;
  /** What follows the command's name and flags. */
  readonly usage: string;
  readonly details?: string;
}

/** Name of the value, and what the flag does. */
export type FlagText = readonly [string, string];

export const COMMAND_HELP: Readonly<Record<string, CommandHelp>> = {
  create: {
    summary: 'Create a container; its program waits for start',
    usage: 'ID',
  },
  start: { summary: 'Start the program of a created container', usage: 'ID' },
  run: {
    summary: 'Create a container, start it, and wait for its end',
    usage: 'ID',
    details: "The exit status is the program's, or 128 + the signal that ended it.",
  },
  exec: {
    summary: 'Execute a program in a running container',
    usage: 'ID COMMAND [ARGUMENTS]\n       tsrun exec [FLAGS] --process FILE ID',
    details: "The exit status is the program's, 128 + the signal that ended it, or 255 when it could not be executed.",
  },
  state: { summary: 'Print the state of a container as JSON', usage: 'ID' },
  list: { summary: 'List the containers', usage: '' },
  ps: {
    summary: 'List the processes of a container',
    usage: 'ID [ARGUMENTS OF ps]',
    details: 'The table is that of ps -ef, or of ps with the arguments given, with only the processes of the container.',
  },
  kill: {
    summary: 'Send a signal to a container',
    usage: 'ID [SIGNAL]',
    details: 'SIGNAL is a number or a name, with or without SIG. Default: TERM.',
  },
  pause: { summary: 'Stop all processes of a container where they are', usage: 'ID' },
  resume: { summary: 'Let a paused container go on', usage: 'ID' },
  update: {
    summary: 'Change the limits of a container',
    usage: 'ID',
    details: 'Sizes take k, m, g, t; -1 is no limit. What is not named stays; all limits are changed, or none.',
  },
  events: {
    summary: 'Print statistics and out-of-memory kills of a container as JSON lines',
    usage: 'ID',
  },
  checkpoint: {
    summary: 'Write the processes of a running container to a directory, with CRIU',
    usage: 'ID',
    details: 'The container ends, and is deleted, unless --leave-running or --pre-dump says otherwise.',
  },
  restore: {
    summary: 'Make a container of what checkpoint has written, with CRIU',
    usage: 'ID',
    details:
      "The bundle is the caller's; what comes out of the image must fit it, or nothing runs. The exit status is the program's, or 128 + the signal that ended it.",
  },
  delete: { summary: 'Remove a stopped container', usage: 'ID' },
  spec: { summary: 'Write a config.json to start from', usage: '' },
  plan: {
    summary: 'Print what creating a container would do, without doing it',
    usage: '[BUNDLE]',
    details: 'Needs no privilege. Each step names the place in config.json that it comes from.',
  },
  features: { summary: 'Print what this runtime implements, as JSON', usage: '' },
  doctor: {
    summary: 'Print what this host can and cannot do for containers, why, and what mends it',
    usage: '',
    details:
      'Everything is tried, not looked up; nothing that is made stays. The exit status is 1 when something is missing that every container needs.',
  },
};

export const GLOBAL_FLAG_HELP: Readonly<Record<string, FlagText>> = {
  root: ['DIR', 'where the state is kept (default: /run/tsrun, or $XDG_RUNTIME_DIR/tsrun for other users)'],
  log: ['FILE', 'append errors and warnings to a file'],
  'log-format': ['FORMAT', 'text (default) or json'],
  'log-level': ['LEVEL', 'error, warning (default), info or debug'],
  debug: ['', 'the same as --log-level debug'],
  trace: ['FILE', 'write what the time is spent on, as Chrome trace events'],
  'systemd-cgroup': ['', 'have systemd make the cgroup; cgroupsPath is then slice:prefix:name'],
  'cgroup-manager': ['NAME', 'cgroupfs (default), systemd or disabled'],
  help: ['', 'print help'],
  version: ['', 'print the version'],
};

/** By command; those under '' mean the same wherever they are. */
export const FLAG_HELP: Readonly<Record<string, Readonly<Record<string, FlagText>>>> = {
  '': {
    bundle: ['DIR', 'the bundle (default: the current directory)'],
    'console-socket': ['PATH', 'unix socket that takes the terminal'],
    'pid-file': ['FILE', 'written with the pid, after success only'],
    'pidfd-socket': ['PATH', 'unix socket that takes a pidfd of the process'],
    'no-pivot': ['', 'for a root file system on an initramfs'],
    'no-new-keyring': ['', "keep the caller's session keyring"],
    'preserve-fds': ['N', 'pass on N descriptors after 2 (and after those of LISTEN_FDS)'],
    detach: ['', 'do not wait for the end'],
    keep: ['', 'do not delete the container when it has ended'],
    'no-subreaper': ['', "do not adopt the container's orphans"],
    'image-path': ['DIR', 'the directory of the images (default: ./checkpoint)'],
    'work-path': ['DIR', "CRIU's log and other files (default: the directory of the images)"],
    'tcp-established': ['', 'with TCP connections that are established'],
    'ext-unix-sk': ['', 'with unix sockets that lead out of the container'],
    'shell-job': ['', "with a terminal of the caller's"],
    'file-locks': ['', 'with file locks'],
    'lazy-pages': ['', 'memory is fetched when it is needed, by criu lazy-pages'],
    'auto-dedup': ['', 'with pages in the parent images removed as they are replaced'],
    timeout: ['SECONDS', 'kill a CRIU that shows no sign of life for so long (default: 120)'],
    'manage-cgroups-mode': ['MODE', 'what becomes of cgroups below the container: soft (default), full, strict or ignore'],
    'empty-ns': ['network', 'with the network namespace left empty'],
    format: ['FORMAT', 'table (default) or json'],
  },
  checkpoint: {
    'parent-path': ['DIR', 'an earlier pre-dump, relative to the directory of the images'],
    'leave-running': ['', 'let the container go on'],
    'tcp-skip-in-flight': ['', 'without TCP connections that are only being made'],
    'pre-dump': ['', 'only memory, of a container that goes on'],
    'page-server': ['ADDRESS:PORT', 'send memory to a criu page-server'],
    'status-fd': ['N', 'descriptor that gets a zero byte when lazy pages can be fetched'],
  },
  restore: {
    'tcp-close': ['', 'with TCP connections that were established closed'],
    'lsm-profile': ['TYPE:NAME', 'another security label'],
    'lsm-mount-context': ['CONTEXT', 'another SELinux context of mounts'],
  },
  exec: {
    process: ['FILE', 'the process as in config.json, instead of a command'],
    tty: ['', 'give it a terminal'],
    cwd: ['DIR', 'working directory in the container'],
    env: ['NAME=VALUE', 'set an environment variable; may be repeated'],
    user: ['UID[:GID]', 'user and group in the container, as numbers'],
    'additional-gids': ['GID', 'another group; may be repeated'],
    cap: ['CAP_NAME', 'add a capability; may be repeated'],
    'no-new-privs': ['', 'set no_new_privs'],
    'process-label': ['LABEL', 'SELinux label'],
    apparmor: ['PROFILE', 'AppArmor profile'],
    cgroup: ['PATH', "existing sub-cgroup of the container's"],
    'ignore-paused': ['', 'even in a paused container, where it waits for resume'],
  },
  update: {
    resources: ['FILE', 'the limits as JSON, as in linux.resources; - is standard input'],
    'blkio-weight': ['N', 'weight of block I/O, 10 to 1000'],
    'cpu-period': ['US', 'period of the CPU quota in microseconds'],
    'cpu-quota': ['US', 'CPU time in a period in microseconds'],
    'cpu-burst': ['US', 'unused quota that may be spent later'],
    'cpu-share': ['N', 'share of CPU time beside others'],
    'cpu-rt-period': ['US', 'cgroup v1 only'],
    'cpu-rt-runtime': ['US', 'cgroup v1 only'],
    'cpu-idle': ['N', '1: run only when nobody else wants to'],
    'cpuset-cpus': ['LIST', 'CPUs that may be used, such as 0-3,7'],
    'cpuset-mems': ['LIST', 'memory nodes that may be used'],
    memory: ['SIZE', 'limit of memory'],
    'memory-reservation': ['SIZE', 'memory that is protected from reclaim'],
    'memory-swap': ['SIZE', 'limit of memory and swap together'],
    'kernel-memory': ['SIZE', 'cgroup v1 only'],
    'kernel-memory-tcp': ['SIZE', 'cgroup v1 only'],
    'pids-limit': ['N', 'limit of processes'],
    'l3-cache-schema': ['LINE', 'L3 cache of the resctrl group, such as L3:0=f;1=f0'],
    'mem-bw-schema': ['LINE', 'memory bandwidth of the resctrl group, such as MB:0=20;1=70'],
  },
  events: {
    interval: ['DURATION', 'time between statistics (default: 5s)'],
    stats: ['', 'print statistics once, and end'],
  },
  kill: { all: ['', 'to all processes; no error when there is none'] },
  delete: { force: ['', 'kill it first if it runs; no error when there is none'] },
  list: { quiet: ['', 'only the IDs'] },
  doctor: { format: ['FORMAT', 'text (default) or json'] },
  spec: { rootless: ['', 'for a user who is not root'] },
  plan: {
    id: ['ID', 'as the container would be named'],
    json: ['', 'as JSON'],
    diff: ['ID', 'instead: how a running container differs from its configuration; exit status 1 if it does'],
    format: ['FORMAT', 'text (default) or json'],
    syscalls: ['', "the system calls of the container's init process"],
  },
};
