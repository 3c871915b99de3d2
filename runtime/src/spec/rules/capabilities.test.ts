import type { Capabilities } from '../../../../specs/runtime/linux/capabilities.ts';
import { findErrors, findWarnings } from '../test/findings.ts';

type Case = [capabilities: Capabilities, expected: string[]];

describe('capabilityErrors', () => {
  it.each<Case>([
    [{ effective: ['CAP_KILL'], permitted: ['CAP_KILL', 'CAP_CHOWN'] }, []],
    [{ effective: ['CAP_CHOWN', 'CAP_KILL'], permitted: ['CAP_CHOWN'] }, ['capability-effective process.capabilities.effective[1]']],
    [{ effective: ['CAP_KILL'] }, ['capability-effective process.capabilities.effective[0]']],
    [{ effective: ['CAP_NO_SUCH'] }, []],
  ])('%j', (capabilities, expected) => {
    expect(findErrors({ process: { capabilities } })).toEqual(expected);
  });
});

describe('capabilityWarnings', () => {
  it.each<Case>([
    [
      { bounding: ['CAP_KILL', 'CAP_KIL', 'KILL'] },
      ['bounding[1]', 'bounding[2]'].map((path) => `capability-unknown process.capabilities.${path}`),
    ],
    [{ permitted: ['CAP_KILL'], inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'] }, []],
    [{ permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] }, ['capability-ambient process.capabilities.ambient']],
    [{ permitted: ['CAP_KILL'], ambient: ['CAP_KILL', 'CAP_CHOWN'] }, ['capability-ambient process.capabilities.ambient']],
    [{ inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'] }, ['capability-ambient process.capabilities.ambient']],
  ])('%j', (capabilities, expected) => {
    expect(findWarnings({ process: { capabilities } })).toEqual(expected);
  });
});
