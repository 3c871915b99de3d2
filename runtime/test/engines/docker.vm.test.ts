import { command, unifiedCgroups } from '../../../.scripts/jest/requirement.ts';
import { describeBothRuntimes } from './compare.ts';
import { startDocker } from './docker.ts';
import { limitScenarios } from './docker-scenarios.ts';

describeBothRuntimes('docker, with controllers,', [command('dockerd'), unifiedCgroups], startDocker, limitScenarios);
