/** File systems and mounts. */
import { tryCall } from '../../linux/call.ts';
import { EINVAL, ENODEV, EPERM, errnoText } from '../../linux/errno.ts';
import { close } from '../../linux/files.ts';
import { OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE } from '../../linux/mount-flags.ts';
import { AT_FDCWD } from '../../linux/open-flags.ts';
import { makeUserNamespace, mapMount } from '../assemble/prepared.ts';
import { asRoot, type Examination, type Finding } from './finding.ts';
import type { TrialResults } from './trial.ts';

const AREA = 'mounts';

export function examineMounts(examination: Examination, trial: TrialResults): Finding[] {
  const { sys } = examination;
  const overlayRemedy =
    trial.overlay === -ENODEV
      ? `${asRoot(sys)}modprobe overlay`
      : 'boot a kernel of version 5.11 or newer, which lets users mount it, or run as root';
  return [
    ...mountFinding('tmpfs', trial.tmpfs, 'missing', 'allow mounts: leave the outer container or its AppArmor profile'),
    ...mountFinding('overlay', trial.overlay, 'limited', overlayRemedy),
    ...mountFinding('mqueue', trial.mqueue, 'limited', 'boot a kernel with CONFIG_POSIX_MQUEUE, or leave the mount of /dev/mqueue out'),
    ...idMappedMounts(examination),
  ];
}

function mountFinding(subject: string, result: number | undefined, verdict: Finding['verdict'], remedy: string): Finding[] {
  if (result === undefined) return [];
  if (result === 0) return [{ area: AREA, subject, verdict: 'ok', message: 'can be mounted' }];
  const why = result === -ENODEV ? ': the kernel does not have it, or has not loaded it' : '';
  return [{ area: AREA, subject, verdict, message: `cannot be mounted: ${errnoText(-result)}${why}`, remedy }];
}

/** It takes privilege over the file system, so that only the host's root can try. On the root file system, where images most often are. */
function idMappedMounts({ context, sys, privileged }: Examination): Finding[] {
  if (!privileged) return [];
  const found = { area: AREA, subject: 'id-mapped mounts' };
  const map = [{ containerID: 0, hostID: 100_000, size: 1 }];
  const tree = tryCall(sys, 'open_tree', AT_FDCWD, '/', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) return [{ ...found, verdict: 'limited', message: `cannot be tried: open_tree /: ${errnoText(-tree)}` }];
  const namespace = makeUserNamespace(context, map, map);
  try {
    const result = mapMount(sys, tree, namespace, false);
    if (result === 0) return [{ ...found, verdict: 'ok', message: 'the root file system can be mapped' }];
    const why = result === -EINVAL ? ': the root file system does not support them on this kernel' : '';
    return [
      {
        ...found,
        verdict: 'limited',
        message: `cannot be made: ${errnoText(-result)}${why}`,
        remedy: result === -EPERM ? 'run in the first user namespace' : 'keep images on ext4, xfs or btrfs, or boot a newer kernel',
      },
    ];
  } finally {
    close(sys, namespace);
    close(sys, tree);
  }
}
