/** One step of the plan as system calls. */

import { RuntimeError } from '../base/errors.ts';
import type { ProgramResults } from '../init/init-process.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from '../linux/open-flags.ts';
import { decodeStatx } from '../linux/stat.ts';
import type { DeviceStep, RootfsStep } from '../plan/steps.ts';
import { compileConsole } from './console.ts';
import { compileDevice, compileSymlink } from './devices.ts';
import { compileMask, openNullDevice } from './masks.ts';
import { compileBind, compileFilesystem, compileRemount, type PlaceCheck } from './mounts.ts';
import { makeDirectories, type Target } from './paths.ts';
import { compilePivot, compileReadonly, compileReadonlyRoot, compileRoot } from './root.ts';

/** Looks at what a program found. Throws when it must not be so. */
export type Check = (results: ProgramResults) => void;

const PROC_SUPER_MAGIC = 0x9fa0;
const NO_CHECK: Check = () => undefined;

function checkDevice(step: DeviceStep, found: ArrayBuffer): void {
  const status = decodeStatx(found);
  if (status.mode === 0) return;
  const type = { c: S_IFCHR, b: S_IFBLK, p: S_IFIFO }[step.type];
  const same =
    (status.mode & S_IFMT) === type && (step.type === 'p' || (status.nodeMajor === step.major && status.nodeMinor === step.minor));
  if (same) return;
  const where = step.bind ? "the host's" : 'what is already there';
  throw new RuntimeError('wrong-device', `device ${step.path}: ${where} is not ${step.type} ${step.major}:${step.minor}`, {
    ...(step.configPath === undefined ? {} : { configPath: step.configPath }),
  });
}

function checkNullDevice(found: ArrayBuffer): void {
  const status = decodeStatx(found);
  if ((status.mode & S_IFMT) === S_IFCHR && status.nodeMajor === 1 && status.nodeMinor === 3) return;
  throw new RuntimeError('wrong-device', "the host's /dev/null is not the device 1:3, so paths cannot be masked with it", {
    configPath: 'linux.maskedPaths',
  });
}

/**
 * A target must not lie inside procfs by way of a link, and what is bound to /proc must be procfs: security modules and programs trust what they
 * find there (CVE-2019-16884, CVE-2019-19921).
 */
function checkPlace({ destination, source, configPath }: PlaceCheck, statfs: ArrayBuffer): void {
  const isProc = new DataView(statfs).getUint32(0, true) === PROC_SUPER_MAGIC;
  const details = configPath === undefined ? {} : { configPath };
  if (destination === '/proc' && !isProc)
    throw new RuntimeError('mount-over-proc', `/proc must be procfs, which ${source} is not`, details);
  if (!isProc || destination === '/proc' || destination.startsWith('/proc/')) return;
  throw new RuntimeError('mount-over-proc', `${destination} leads into /proc, where nothing may be mounted`, details);
}

/** Appends a step to the target's program. */
export function compileRootfsStep(target: Target, step: RootfsStep, separateMounts: boolean): Check {
  switch (step.kind) {
    case 'root': {
      compileRoot(target, step, separateMounts);
      if (!step.masks) return NO_CHECK;
      const status = openNullDevice(target);
      return (results) => checkNullDevice(results.output(status));
    }
    case 'mount': {
      const place = compileFilesystem(target, step);
      return place === undefined ? NO_CHECK : (results) => checkPlace(place, results.output(place.statfs));
    }
    case 'bind': {
      const place = compileBind(target, step);
      return (results) => checkPlace(place, results.output(place.statfs));
    }
    case 'device': {
      const { status } = compileDevice(target, step);
      return (results) => checkDevice(step, results.output(status));
    }
    case 'remount':
      compileRemount(target, step);
      return NO_CHECK;
    case 'symlink':
      compileSymlink(target, step);
      return NO_CHECK;
    case 'console':
      compileConsole(target, step);
      return NO_CHECK;
    case 'directory':
      target.program.step(`make the directory ${step.path}`, step.configPath);
      makeDirectories(target, step.path);
      return NO_CHECK;
    case 'pivot':
      compilePivot(target, step);
      return NO_CHECK;
    case 'mask':
      compileMask(target, step);
      return NO_CHECK;
    case 'readonly':
      compileReadonly(target, step);
      return NO_CHECK;
    case 'readonly-root':
      compileReadonlyRoot(target);
      return NO_CHECK;
    default:
      return step satisfies never;
  }
}
