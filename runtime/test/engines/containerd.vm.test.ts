import { command, unifiedCgroups } from '../../../.scripts/jest/requirement.ts';
import { describeBothRuntimes } from './compare.ts';
import { startContainerd } from './containerd.ts';
import { limitScenarios, runScenarios } from './containerd-scenarios.ts';

// In the guest, since runc cannot do without the limits that `ctr` always asks for.
describeBothRuntimes('containerd', [command('containerd'), unifiedCgroups], startContainerd, (driver) => {
  runScenarios(driver);
  limitScenarios(driver);
});
