/** What only those who are in the container's namespaces can see: names and sysctls. An agent looks, outside of the container's cgroup. */
import { Program, type ResultOf } from '../../init/program.ts';
import { close } from '../../linux/files.ts';
import { O_CLOEXEC, O_RDONLY } from '../../linux/open-flags.ts';
import { killAndReap, pidfdOpen } from '../../linux/processes.ts';
import type { Plan } from '../../plan/plan.ts';
import type { HostnameStep, Step, SysctlStep } from '../../plan/steps.ts';
import { openPrivateProc } from '../../process/private-proc.ts';
import type { ContainerRecord } from '../../state/record.ts';
import { type Entered, enterContainer } from '../assemble/enter.ts';
import type { Context } from '../context/context.ts';
import { compare, type Difference } from './difference.ts';

/** Fields of `struct utsname`, each of 65 bytes. */
const UTS_FIELD_BYTES = 65;
const UTS_FIELDS = 6;
const NODE_FIELD = 1;
const DOMAIN_FIELD = 5;
const SYSCTL_BYTES = 4096;

export function insideDrift(context: Context, record: ContainerRecord, plan: Plan): Difference[] {
  const steps: readonly Step[] = [...plan.prepare, ...plan.enter, ...plan.become];
  const names = steps.filter((step): step is HostnameStep => step.kind === 'hostname' || step.kind === 'domainname');
  const sysctls = steps.filter((step): step is SysctlStep => step.kind === 'sysctl');
  if (names.length === 0 && sysctls.length === 0) return [];
  const { sys } = context;
  const pidfd = pidfdOpen(sys, record.pid);
  try {
    const entered = enterContainer(context, { record, pidfd, cgroupFd: undefined, consoleFd: undefined });
    try {
      return look(context, entered, names, sysctls);
    } finally {
      entered.process.release();
      killAndReap(sys, entered.process.pid);
    }
  } finally {
    close(sys, pidfd);
  }
}

function look(context: Context, { process, fds }: Entered, names: readonly HostnameStep[], sysctls: readonly SysctlStep[]): Difference[] {
  const { sys } = context;
  const program = new Program({ step: 'look into the container' });
  const uts = program.output(UTS_FIELD_BYTES * UTS_FIELDS);
  program.call('uname', [uts]);
  if (sysctls.length > 0) openPrivateProc({ program, arch: sys.arch, fds, opened: { proc: false }, made: new Set() });
  const reads = sysctls.map((step) => {
    const text = program.output(SYSCTL_BYTES);
    const fd: ResultOf = program.call('openat', [fds.proc, `sys/${step.file}`, O_RDONLY | O_CLOEXEC, 0], { ignore: 'all' });
    const length = program.call('read', [fd, text, SYSCTL_BYTES], { ignore: 'all' });
    program.call('close', [fd], { ignore: 'all' });
    return { step, text, length };
  });
  const results = process.run(program);
  const utsName = (index: number): string => textOf(sys.decode(results.output(uts), index * UTS_FIELD_BYTES, UTS_FIELD_BYTES));
  return [
    ...names.flatMap(({ kind, name, configPath }) =>
      compare({ aspect: 'name', configPath, object: kind }, name, utsName(kind === 'hostname' ? NODE_FIELD : DOMAIN_FIELD)),
    ),
    ...reads.flatMap(({ step, text, length }) => {
      const bytes = results.value(length);
      const actual = bytes < 0 ? undefined : sys.decode(results.output(text), 0, bytes);
      const what = { aspect: 'sysctl', configPath: step.configPath, object: step.file } as const;
      return compare(what, words(step.value), actual === undefined ? undefined : words(actual));
    }),
  ];
}

function textOf(bytes: string): string {
  return bytes.split('\0', 1)[0] ?? '';
}

function words(text: string): string {
  return text.trim().split(/\s+/).join(' ');
}
