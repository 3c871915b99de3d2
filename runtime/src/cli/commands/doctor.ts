import { diagnose } from '../../operations/doctor/doctor.ts';
import { agentContext } from '../agent-context.ts';
import { defineCommand } from '../command.ts';
import { diagnosisText } from '../doctor-text.ts';
import { reportFormat } from '../format.ts';
import { print } from '../output.ts';

/** Something that every container needs is missing. */
const UNFIT = 1;

export const doctorCommand = defineCommand({
  name: 'doctor',
  flags: { format: { kind: 'text', short: 'f' } },
  operands: [0, 0],
  run: (invocation) => {
    const { sys, flags } = invocation;
    const format = reportFormat(flags.format);
    const diagnosis = diagnose(agentContext(invocation, undefined));
    print(sys, format === 'json' ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : diagnosisText(diagnosis));
    return diagnosis.healthy ? 0 : UNFIT;
  },
});
