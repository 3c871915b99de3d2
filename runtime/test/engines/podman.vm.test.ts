import { command, unifiedCgroups } from '../../../.scripts/jest/requirement.ts';
import { describeBothRuntimes } from './compare.ts';
import { startPodman } from './podman.ts';
import { limitScenarios } from './podman-scenarios.ts';

describeBothRuntimes('podman, with controllers,', [command('podman'), unifiedCgroups], startPodman, limitScenarios);
