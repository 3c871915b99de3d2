import { drift } from '../../operations/drift/drift.ts';
import { planBundle, planPrograms } from '../../operations/plan.ts';
import { agentContext } from '../agent-context.ts';
import { UsageError } from '../args.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { driftText } from '../drift-text.ts';
import { reportFormat } from '../format.ts';
import { print } from '../output.ts';
import { absolutePath } from '../paths.ts';
import { planJson, planText, programText } from '../plan-text.ts';

/** No container is made, so the name matters only where it becomes part of another: the cgroup's, the keyring's. */
const DEFAULT_ID = 'plan';
const DRIFTED = 1;

export const planCommand = defineCommand({
  name: 'plan',
  flags: {
    bundle: { kind: 'text', short: 'b' },
    id: { kind: 'text' },
    json: { kind: 'switch' },
    syscalls: { kind: 'switch' },
    diff: { kind: 'text' },
    format: { kind: 'text', short: 'f' },
    'no-pivot': { kind: 'switch' },
    'no-new-keyring': { kind: 'switch' },
  },
  operands: [0, 1],
  run: (invocation) => {
    const { sys, flags, operands, globals } = invocation;
    const json = reportFormat(flags.format) === 'json' || flags.json;
    if (flags.diff !== undefined) {
      if (operands.length > 0) throw new UsageError('--diff takes a container, whose bundle is known: not a bundle');
      const differences = drift(agentContext(invocation, undefined), flags.diff);
      print(sys, json ? `${JSON.stringify(differences, undefined, 2)}\n` : driftText(differences));
      return differences.length === 0 ? 0 : DRIFTED;
    }
    const planned = planBundle(lightContext(invocation), {
      id: flags.id ?? DEFAULT_ID,
      bundle: absolutePath(sys, operands[0] ?? flags.bundle ?? ''),
      noPivot: flags['no-pivot'],
      noNewKeyring: flags['no-new-keyring'],
      cgroupManager: globals.cgroupManager,
    });
    if (flags.syscalls) print(sys, programText(planPrograms(sys, planned)));
    else print(sys, json ? planJson(planned) : planText(planned));
    return 0;
  },
});
