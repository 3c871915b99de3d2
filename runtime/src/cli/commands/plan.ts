import { planBundle, planPrograms } from '../../operations/plan.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { print } from '../output.ts';
import { absolutePath } from '../paths.ts';
import { planJson, planText, programText } from '../plan-text.ts';

/** No container is made, so the name matters only where it becomes part of another: the cgroup's, the keyring's. */
const DEFAULT_ID = 'plan';

export const planCommand = defineCommand({
  name: 'plan',
  flags: {
    bundle: { kind: 'text', short: 'b' },
    id: { kind: 'text' },
    json: { kind: 'switch' },
    syscalls: { kind: 'switch' },
    'no-pivot': { kind: 'switch' },
    'no-new-keyring': { kind: 'switch' },
  },
  operands: [0, 1],
  run: (invocation) => {
    const { sys, flags, operands, globals } = invocation;
    const planned = planBundle(lightContext(invocation), {
      id: flags.id ?? DEFAULT_ID,
      bundle: absolutePath(sys, operands[0] ?? flags.bundle ?? ''),
      noPivot: flags['no-pivot'],
      noNewKeyring: flags['no-new-keyring'],
      cgroupManager: globals.cgroupManager,
    });
    if (flags.syscalls) print(sys, programText(planPrograms(sys, planned)));
    else print(sys, flags.json ? planJson(planned) : planText(planned));
    return 0;
  },
});
