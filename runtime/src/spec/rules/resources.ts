import { formatStep, joinPaths } from '../../../../specs/json/json-path.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { parseIndexList } from '../index-list.ts';
import { checkItems, type Rule } from './rule.ts';

const MEMORY = 'config-linux.md#memory';
const CPU = 'config-linux.md#cpu';

/** Rules for limits, whether they come with a configuration or with an update. */
export const resourceErrors: readonly Rule<LinuxResources>[] = [
  {
    id: 'device-cgroup-numbers',
    reference: 'config-linux.md#allowed-device-list',
    check({ devices }, report) {
      checkItems(devices, 'devices', report, (device, reportItem) => {
        for (const name of ['major', 'minor'] as const) {
          // -1 is how docker writes "all".
          const number = device[name] ?? -1;
          if (number < -1 || number > 0xffffffff) reportItem(name, number, 'must be a device number, or -1 for all');
        }
      });
    },
  },
  {
    id: 'device-cgroup-access',
    reference: 'config-linux.md#allowed-device-list',
    check({ devices }, report) {
      checkItems(devices, 'devices', report, ({ access }, reportItem) => {
        // crun takes it as no access, so that the rule has no effect; runc refuses it. Nobody should depend on either.
        if (access === undefined) reportItem('access', undefined, 'must be given');
      });
    },
  },
  {
    id: 'memory-limit',
    reference: MEMORY,
    check({ memory }, report) {
      for (const name of ['limit', 'reservation', 'swap'] as const) {
        const limit = memory?.[name] ?? 0;
        if (limit < -1) report(`memory.${name}`, limit, 'must be a number of bytes, or -1 for no limit');
      }
    },
  },
  {
    id: 'memory-swap-order',
    reference: MEMORY,
    check({ memory }, report) {
      const { limit = 0, swap = 0 } = memory ?? {};
      if (limit > 0 && swap > 0 && swap < limit)
        report('memory.swap', swap, `must not be below the memory limit ${limit}, which it includes`);
    },
  },
  {
    id: 'cpu-burst',
    reference: CPU,
    check({ cpu }, report) {
      const { quota = 0, burst = 0 } = cpu ?? {};
      if (quota > 0 && burst > quota) report('cpu.burst', burst, `must not be above the quota ${quota}`);
    },
  },
  {
    id: 'cpuset-list',
    reference: CPU,
    check({ cpu }, report) {
      for (const name of ['cpus', 'mems'] as const) {
        const list = cpu?.[name];
        if (list !== undefined && parseIndexList(list) === undefined) report(`cpu.${name}`, list, 'must be a list such as 0-3,7');
      }
    },
  },
  {
    id: 'block-io-weight',
    reference: 'config-linux.md#block-io',
    check({ blockIO }, report) {
      checkItems(blockIO?.weightDevice, 'blockIO.weightDevice', report, ({ weight, leafWeight }, reportItem) => {
        if (weight === undefined && leafWeight === undefined) reportItem('', undefined, 'must have weight or leafWeight');
      });
    },
  },
  {
    id: 'rdma-limits',
    reference: 'config-linux.md#rdma',
    check({ rdma }, report) {
      for (const [device, { hcaHandles, hcaObjects }] of Object.entries(rdma ?? {})) {
        if (hcaHandles === undefined && hcaObjects === undefined) {
          report(joinPaths('rdma', formatStep(device)), undefined, 'must have hcaHandles or hcaObjects');
        }
      }
    },
  },
  {
    id: 'unified-file',
    reference: 'config-linux.md#unified',
    check({ unified }, report) {
      for (const [file, text] of Object.entries(unified ?? {})) {
        const isName = file !== '' && file !== '.' && file !== '..' && !file.includes('/');
        if (!isName) report(joinPaths('unified', formatStep(file)), text, 'must have the name of a file as its key, without slashes');
      }
    },
  },
];

/** What holds for a configuration only: an update may leave the memory limit as it is and change swap alone. */
export const cgroupErrors: readonly Rule<Config>[] = [
  {
    id: 'memory-swap-without-limit',
    reference: MEMORY,
    check({ linux }, report) {
      const { limit = 0, swap = 0 } = linux?.resources?.memory ?? {};
      if (swap > 0 && limit <= 0) report('linux.resources.memory.swap', swap, 'cannot be set without a memory limit, which it includes');
    },
  },
  {
    id: 'cgroups-path',
    reference: 'config-linux.md#cgroups-path',
    check({ linux }, report) {
      const path = linux?.cgroupsPath ?? '';
      if (path.split('/').includes('..')) report('linux.cgroupsPath', path, 'must not have ".." in it');
    },
  },
];
