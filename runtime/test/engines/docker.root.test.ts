import { command } from '../../../.scripts/jest/requirement.ts';
import { describeBothRuntimes } from './compare.ts';
import { startDocker } from './docker.ts';
import { runScenarios } from './docker-scenarios.ts';

describeBothRuntimes('docker', [command('dockerd')], startDocker, runScenarios);
