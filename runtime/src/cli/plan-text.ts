/** A plan as text for people, and as JSON. */
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { describeProgram, type Program } from '../init/program.ts';
import type { PlannedContainer } from '../operations/plan.ts';
import { describeFilter, describeStep, rlimit } from '../plan/describe.ts';
import type { NamespacePlan } from '../plan/namespaces.ts';
import type { IdMap, Step } from '../plan/steps.ts';

/** Where the places of config.json are written. */
const PLACE_COLUMN = 100;

export function planJson({ bundle, cgroup, plan, hooks }: PlannedContainer): string {
  return `${stringifyJson({ bundle, cgroup, hooks, ...plan }, '  ')}\n`;
}

export function planText(planned: PlannedContainer): string {
  const { plan, hooks, cgroup } = planned;
  const counter = new Counter();
  return [
    `Plan for ${planned.bundle}`,
    '',
    'Create: the cgroup',
    ...section(cgroupLines(cgroup)),
    ...cgroup.writes.map(({ file, value, configPath }) => placed(`write ${JSON.stringify(value)} to ${file}`, configPath)),
    'Create: an init process in its namespaces',
    ...namespaces(plan.namespaces),
    ...(plan.oomScoreAdj === undefined ? [] : [placed(`oom_score_adj ${plan.oomScoreAdj}`, 'process.oomScoreAdj')]),
    ...resourceGroup(planned.rdt),
    ...planned.netDevices.map(({ from, to, configPath }) =>
      placed(`move the network device ${from} into the namespace, as ${to}`, configPath),
    ),
    'Create: in these namespaces',
    ...counter.steps(plan.prepare),
    ...hookLines('prestart', hooks.prestart),
    ...hookLines('createRuntime', hooks.createRuntime),
    ...hookLines('createContainer', hooks.createContainer),
    ...counter.steps(plan.enter),
    'Create: the process becomes',
    ...counter.steps(plan.become),
    ...section([`find ${plan.execute.args[0]} in ${plan.execute.candidates.join(', ')}`, 'wait to be started']),
    'Start',
    ...hookLines('startContainer', hooks.startContainer),
    ...(plan.execute.descriptorLimit === undefined ? [] : section([rlimit(plan.execute.descriptorLimit)])),
    ...(plan.execute.seccomp === undefined ? [] : [placed(describeFilter(plan.execute.seccomp), 'linux.seccomp')]),
    ...section([`execute ${plan.execute.args.map((word) => JSON.stringify(word)).join(' ')}`]),
    ...hookLines('poststart', hooks.poststart),
    'Delete',
    ...section(['kill what is left, remove the cgroup and the state']),
    ...hookLines('poststop', hooks.poststop),
    '',
  ].join('\n');
}

function cgroupLines({ manager, directory, unit }: PlannedContainer['cgroup']): string[] {
  if (directory === undefined)
    return [manager === 'disabled' ? 'none: cgroups are disabled' : 'none: this host has no cgroup v2 hierarchy'];
  return [directory, ...(unit === undefined ? [] : [`made by systemd for the unit ${unit}`])];
}

/** The system calls of each step, in the manner of strace(1). `$N` is the result of call N of its program. */
export function programText(programs: readonly Program[]): string {
  return programs.map((program) => `${programLines(program).join('\n')}\n`).join('\n');
}

function programLines(program: Program): string[] {
  const calls = describeProgram(program);
  return program.operations.flatMap(({ label }, index) => {
    const before = program.operations[index - 1]?.label;
    const same = before?.step === label.step && before.configPath === label.configPath;
    const head = same ? [] : [`# ${label.step}${label.configPath === undefined ? '' : ` (${label.configPath})`}`];
    return [...head, `  ${calls[index] ?? ''}`];
  });
}

function section(lines: readonly string[]): string[] {
  return lines.map((line) => `      ${line}`);
}

function placed(text: string, configPath: string | undefined): string {
  return `      ${configPath === undefined ? text : `${text.padEnd(PLACE_COLUMN - 6)}  ${configPath}`}`;
}

class Counter {
  #last = 0;

  steps(steps: readonly Step[]): string[] {
    return steps.map((step) => {
      this.#last += 1;
      const text = `${String(this.#last).padStart(4)}  ${describeStep(step)}`;
      return step.configPath === undefined ? text : `${text.padEnd(PLACE_COLUMN)}  ${step.configPath}`;
    });
  }
}

function namespaces({ create, join, uidMappings, gidMappings, clockOffsets }: NamespacePlan): string[] {
  return [
    ...section([`create ${create.length === 0 ? 'none' : create.join(', ')}`]),
    ...join.map(({ type, path, configPath }) => placed(`join ${type}: ${path}`, configPath)),
    ...(uidMappings.length === 0 ? [] : section([`map users ${mappings(uidMappings)}`])),
    ...(gidMappings.length === 0 ? [] : section([`map groups ${mappings(gidMappings)}`])),
    ...section(clockOffsets.map(({ clock, seconds, nanoseconds }) => `add ${seconds} s ${nanoseconds} ns to the ${clock} clock`)),
  ];
}

function resourceGroup(rdt: PlannedContainer['rdt']): string[] {
  if (rdt === undefined) return [];
  const { group, schemata, monitoring } = rdt;
  const lines = schemata.length === 0 ? '' : `, with ${schemata.join(', ')}`;
  const monitored = monitoring === undefined ? '' : `; be monitored as ${monitoring}`;
  return [placed(`join the resctrl group /${group}${lines}${monitored}`, 'linux.intelRdt')];
}

function mappings(maps: readonly IdMap[]): string {
  const range = (first: number, size: number) => (size === 1 ? String(first) : `${first}-${first + size - 1}`);
  return maps.map(({ containerID, hostID, size }) => `${range(containerID, size)} to ${range(hostID, size)}`).join(', ');
}

function hookLines(name: string, paths: readonly string[] | undefined): string[] {
  return (paths ?? []).map((path, index) => placed(`run the ${name} hook ${path}`, `hooks.${name}[${index}]`));
}
