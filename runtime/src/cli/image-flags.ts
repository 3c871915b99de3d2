/** The flags that checkpoint and restore have in common. */
import { CGROUP_MODES, type CgroupMode } from '../criu/rpc.ts';
import { CLONE_NEWNET } from '../linux/namespaces.ts';
import type { ImageOptions } from '../operations/criu/image.ts';
import { type Flags, UsageError } from './args.ts';
import type { Invocation } from './command.ts';
import { absolutePath } from './paths.ts';

export const IMAGE_FLAGS = {
  'image-path': { kind: 'text' },
  'work-path': { kind: 'text' },
  'tcp-established': { kind: 'switch' },
  'ext-unix-sk': { kind: 'switch' },
  'shell-job': { kind: 'switch' },
  'file-locks': { kind: 'switch' },
  'lazy-pages': { kind: 'switch' },
  'auto-dedup': { kind: 'switch' },
  timeout: { kind: 'number' },
  'manage-cgroups-mode': { kind: 'text' },
  'empty-ns': { kind: 'texts' },
} as const satisfies Flags;

/** Where runc has it, too. */
const DEFAULT_PATH = 'checkpoint';

export function imageOptions({ sys, flags }: Pick<Invocation<typeof IMAGE_FLAGS>, 'sys' | 'flags'>): ImageOptions {
  const work = flags['work-path'];
  return {
    imagePath: absolutePath(sys, flags['image-path'] || DEFAULT_PATH),
    workPath: work === undefined || work === '' ? undefined : absolutePath(sys, work),
    tcpEstablished: flags['tcp-established'],
    externalUnixSockets: flags['ext-unix-sk'],
    shellJob: flags['shell-job'],
    fileLocks: flags['file-locks'],
    lazyPages: flags['lazy-pages'],
    autoDedup: flags['auto-dedup'],
    timeoutSeconds: timeout(flags.timeout),
    cgroupMode: cgroupMode(flags['manage-cgroups-mode']),
    emptyNamespaces: emptyNamespaces(flags['empty-ns']),
  };
}

function timeout(seconds: number | undefined): number | undefined {
  if (seconds === 0) throw new UsageError('invalid value "0" for flag --timeout: seconds, from 1');
  return seconds;
}

function cgroupMode(name: string | undefined): CgroupMode | undefined {
  if (name === undefined || name === '') return undefined;
  if (Object.hasOwn(CGROUP_MODES, name)) return name as CgroupMode;
  throw new UsageError(
    `invalid value ${JSON.stringify(name)} for flag --manage-cgroups-mode: one of ${Object.keys(CGROUP_MODES).join(', ')}`,
  );
}

/** CRIU can leave out the content of no other kind. */
function emptyNamespaces(names: readonly string[]): number | undefined {
  for (const name of names) {
    if (name !== 'network') throw new UsageError(`invalid value ${JSON.stringify(name)} for flag --empty-ns: only network can be left out`);
  }
  return names.length === 0 ? undefined : CLONE_NEWNET;
}
