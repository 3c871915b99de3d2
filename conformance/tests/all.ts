/** Every test of the suite, in the order in which they run. */
import type { TestCase } from '../harness/test-case.ts';
import { cgroupTests } from './cgroups/unified.ts';
import { configTests } from './config/values.ts';
import { deviceTests } from './devices/devices.ts';
import { networkDeviceTests } from './devices/network.ts';
import { featureTests } from './features/features.ts';
import { createTests } from './lifecycle/create.ts';
import { hookTests } from './lifecycle/hooks.ts';
import { deleteTests, killTests, startTests } from './lifecycle/start-kill-delete.ts';
import { stateTests } from './lifecycle/state.ts';
import { mountOptionTests } from './mounts/options.ts';
import { mountPlaceTests } from './mounts/places.ts';
import { treeTests } from './mounts/trees.ts';
import { namespaceSettingTests } from './namespaces/settings.ts';
import { namespaceTests } from './namespaces/types.ts';
import { identityTests } from './process/identity.ts';
import { limitTests } from './process/limits.ts';
import { programTests } from './process/program.ts';
import { schedulingTests } from './process/scheduling.ts';
import { terminalTests } from './process/terminal.ts';
import { rootTests } from './root/root.ts';
import { seccompTests } from './seccomp/filters.ts';

export const ALL_TESTS: readonly TestCase[] = [
  ...stateTests,
  ...createTests,
  ...startTests,
  ...killTests,
  ...deleteTests,
  ...hookTests,
  ...mountPlaceTests,
  ...mountOptionTests,
  ...treeTests,
  ...rootTests,
  ...namespaceTests,
  ...namespaceSettingTests,
  ...deviceTests,
  ...networkDeviceTests,
  ...cgroupTests,
  ...seccompTests,
  ...featureTests,
  ...configTests,
  ...programTests,
  ...identityTests,
  ...limitTests,
  ...schedulingTests,
  ...terminalTests,
];
