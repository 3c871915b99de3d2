/** Namespaces, and the ids that a user may map in them. */
import { RuntimeError } from '../../base/errors.ts';
import { tryCall } from '../../linux/call.ts';
import { EINVAL, ENOSPC, EPERM, errnoText } from '../../linux/errno.ts';
import { readFileIfExists } from '../../linux/files.ts';
import { NAMESPACE_TYPES, NAMESPACES, type NamespaceType } from '../../linux/namespaces.ts';
import { stat } from '../../linux/stat.ts';
import type { Sys } from '../../sys/sys.ts';
import { findCommand } from '../find-command.ts';
import { userName } from '../state.ts';
import { asRoot, type Examination, type Finding, installCommand } from './finding.ts';
import type { TrialResults } from './trial.ts';

/** Set user id (inode(7)). */
const S_ISUID = 0o4000;

/** A container can do without these. */
const OPTIONAL: readonly NamespaceType[] = ['time', 'cgroup', 'user'];

/** Settings that forbid user namespaces, the value that does, and one that allows them. */
const USER_SETTINGS: readonly (readonly [string, string, string])[] = [
  ['user/max_user_namespaces', '0', '15000'],
  ['kernel/unprivileged_userns_clone', '0', '1'],
  ['kernel/apparmor_restrict_unprivileged_userns', '1', '0'],
];

export function examineNamespaces({ sys, privileged }: Examination, trial: TrialResults): Finding[] {
  return NAMESPACE_TYPES.flatMap((type) => {
    const result = trial.namespaces[type];
    return result === undefined ? [] : [namespaceFinding(sys, type, result, privileged)];
  });
}

function namespaceFinding(sys: Sys, type: NamespaceType, result: number, privileged: boolean): Finding {
  const found = { area: 'namespaces', subject: type };
  const restriction = type === 'user' ? userRestriction(sys) : undefined;
  if (result === 0 && (restriction === undefined || privileged)) return { ...found, verdict: 'ok', message: 'can be made' };
  const needed = !OPTIONAL.includes(type) || (type === 'user' && !privileged);
  const verdict = needed ? 'missing' : 'limited';
  if (restriction !== undefined) return { ...found, verdict: result === 0 ? 'limited' : verdict, ...restriction };
  return { ...found, verdict, ...refusal(sys, type, -result) };
}

function refusal(sys: Sys, type: NamespaceType, errno: number): Pick<Finding, 'message' | 'remedy'> {
  const { file } = NAMESPACES[type];
  const message = `cannot be made: ${errnoText(errno)}`;
  if (errno === ENOSPC) {
    return { message: `${message}: the limit on them is reached`, remedy: sysctl(sys, `user/max_${file}_namespaces`, '15000') };
  }
  if (errno === EINVAL)
    return { message: `${message}: this kernel is built without them`, remedy: `boot a kernel with ${type} namespaces` };
  if (errno === EPERM) {
    const remedy =
      type === 'user'
        ? 'start the outer container with --privileged, or leave a chroot'
        : `run tsrun as root, or allow user namespaces: ${asRoot(sys)}sysctl -w user.max_user_namespaces=15000`;
    return { message, remedy };
  }
  return { message };
}

function userRestriction(sys: Sys): Pick<Finding, 'message' | 'remedy'> | undefined {
  for (const [path, forbids, allows] of USER_SETTINGS) {
    if (readFileIfExists(sys, `/proc/sys/${path}`)?.trim() !== forbids) continue;
    return { message: `the sysctl ${path.replaceAll('/', '.')} = ${forbids} forbids them to users`, remedy: sysctl(sys, path, allows) };
  }
  return undefined;
}

function sysctl(sys: Sys, path: string, value: string): string {
  return `${asRoot(sys)}sysctl -w ${path.replaceAll('/', '.')}=${value}`;
}

const UIDMAP = { debian: 'uidmap', fedora: 'shadow-utils', alpine: 'shadow-uidmap', arch: 'shadow', suse: 'shadow' };

/** A user who is not root needs help to map more than one id. */
export function examineIdMaps({ sys, privileged }: Examination, trial: TrialResults): Finding[] {
  if (privileged || trial.namespaces.user !== 0) return [];
  const area = 'id maps';
  const own: Finding =
    trial.idMaps === undefined
      ? { area, subject: 'own id', verdict: 'ok', message: 'can be mapped' }
      : { area, subject: 'own id', verdict: 'missing', message: trial.idMaps.message, ...hintOf(trial.idMaps) };
  return [
    own,
    ...(['newuidmap', 'newgidmap'] as const).map((tool) => toolFinding(sys, tool)),
    ...['/etc/subuid', '/etc/subgid'].map((file) => rangeFinding(sys, file)),
  ];
}

function hintOf(error: Error): { readonly remedy?: string } {
  return error instanceof RuntimeError && error.hint !== undefined ? { remedy: error.hint } : {};
}

function toolFinding(sys: Sys, tool: string): Finding {
  const found = { area: 'id maps', subject: tool };
  const path = findCommand(sys, tool);
  if (path === undefined) {
    return {
      ...found,
      verdict: 'limited',
      message: "is not installed: containers can map only this user's own id",
      remedy: installCommand(sys, UIDMAP),
    };
  }
  const hasCapability = tryCall(sys, 'getxattr', path, 'security.capability', null, 0) > 0;
  if (hasCapability || ((stat(sys, path)?.mode ?? 0) & S_ISUID) !== 0) return { ...found, verdict: 'ok', message: path };
  return {
    ...found,
    verdict: 'limited',
    message: `${path} is neither setuid nor has capabilities: it cannot map ids`,
    remedy: `${asRoot(sys)}chmod u+s ${path}`,
  };
}

function rangeFinding(sys: Sys, file: string): Finding {
  const found = { area: 'id maps', subject: file };
  const uid = tryCall(sys, 'geteuid');
  const name = userName(sys, uid);
  const count = subordinateIds(readFileIfExists(sys, file) ?? '', [name, String(uid)]);
  if (count > 0) return { ...found, verdict: 'ok', message: `${count} ids for ${name}` };
  const option = file.endsWith('uid') ? '--add-subuids' : '--add-subgids';
  return {
    ...found,
    verdict: 'limited',
    message: `no ids for ${name}: containers can map only one`,
    remedy: `${asRoot(sys)}usermod ${option} 100000-165535 ${name}`,
  };
}

/** How many ids /etc/subuid, or /etc/subgid, gives to a user who goes by these names (subuid(5)). */
export function subordinateIds(text: string, names: readonly string[]): number {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([owner = '']) => names.includes(owner))
    .reduce((sum, [, , count]) => sum + (Number(count) || 0), 0);
}
