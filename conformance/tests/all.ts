/** Every test of the suite, in the order in which they run. */
import type { TestCase } from '../harness/test-case.ts';
import { createTests } from './lifecycle/create.ts';
import { deleteTests, killTests, startTests } from './lifecycle/start-kill-delete.ts';
import { stateTests } from './lifecycle/state.ts';

export const ALL_TESTS: readonly TestCase[] = [...stateTests, ...createTests, ...startTests, ...killTests, ...deleteTests];
