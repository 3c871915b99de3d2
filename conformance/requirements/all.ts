/** All requirements, by id. What other platforms are asked is one entry: `config/other-platforms`. */
import type { Requirement } from '../harness/requirement.ts';
import { configRequirements } from './config.ts';
import { configLinuxRequirements } from './config-linux.ts';
import { featuresRequirements } from './features.ts';
import { runtimeRequirements } from './runtime.ts';

const TABLE = { ...runtimeRequirements, ...configRequirements, ...configLinuxRequirements, ...featuresRequirements } as const;

export type RequirementId = keyof typeof TABLE;

export const REQUIREMENTS: ReadonlyMap<RequirementId, Requirement> = new Map(Object.entries(TABLE) as [RequirementId, Requirement][]);
