import type { Config } from '../../../../specs/runtime/config.ts';
import type { NamespaceType } from '../../../../specs/runtime/linux/namespaces.ts';
import { hasNamespace } from '../namespaces.ts';
import { toDottedSysctl } from '../sysctl-name.ts';
import type { Rule } from './rule.ts';

const REFERENCE = 'config-linux.md#sysctl';

/** System V IPC; POSIX message queues are under `fs.mqueue.` (ipc_namespaces(7)). */
const IPC_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

export const sysctlErrors: readonly Rule<Config>[] = [
  {
    id: 'sysctl-namespaced',
    reference: REFERENCE,
    check(config, report) {
      for (const [name, value] of Object.entries(config.linux?.sysctl ?? {})) {
        const path = `linux.sysctl[${JSON.stringify(name)}]`;
        const namespace = findOwner(toDottedSysctl(name));
        if (namespace === undefined) report(path, value, 'is not in a separate kernel namespace: it would change the host');
        else if (!hasNamespace(config, namespace))
          report(path, value, `cannot be set without a ${namespace} namespace in linux.namespaces`);
      }
    },
  },
  {
    id: 'sysctl-hostname',
    reference: 'config.md#hostname',
    check(config, report) {
      for (const [name, value] of Object.entries(config.linux?.sysctl ?? {})) {
        if (toDottedSysctl(name) === 'kernel.hostname') {
          report(`linux.sysctl[${JSON.stringify(name)}]`, value, 'conflicts with the field hostname, which is the one to use');
        }
      }
    },
  },
];

/** The kind of namespace that has the sysctl to itself; undefined if it belongs to the whole machine. */
function findOwner(name: string): NamespaceType | undefined {
  if (IPC_SYSCTLS.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  if (name.startsWith('net.')) return 'network';
  if (name.startsWith('user.')) return 'user';
  return name === 'kernel.domainname' || name === 'kernel.hostname' ? 'uts' : undefined;
}
