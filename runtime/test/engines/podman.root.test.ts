import { command } from '../../../.scripts/jest/requirement.ts';
import { describeBothRuntimes } from './compare.ts';
import { startPodman } from './podman.ts';
import { runScenarios } from './podman-scenarios.ts';

describeBothRuntimes('podman', [command('podman')], startPodman, runScenarios);
