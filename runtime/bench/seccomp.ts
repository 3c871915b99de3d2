/** `run` under the profile that this machine's engines give their containers, beside none. The filter is in the cache from the first round on. */
import { existsSync, readFileSync } from 'node:fs';
import type { Config } from '../../specs/runtime/config.ts';
import type { Seccomp } from '../../specs/runtime/linux/seccomp.ts';
import { makeBundle } from './bundle.ts';
import { freshId, runtimeCommand, type Topic } from './contest.ts';
import { inTurns, median, timeSuccess } from './measure.ts';
import type { Setting } from './setting.ts';

/** Debian: golang-github-containers-common, which comes with podman. Docker's default profile has the same form and some hundred rules less. */
const PROFILE = '/usr/share/containers/seccomp.json';
const MACHINE = { x64: ['amd64', 'SCMP_ARCH_X86_64'], arm64: ['arm64', 'SCMP_ARCH_AARCH64'] } as const;

interface Condition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
}

type Rule = NonNullable<Seccomp['syscalls']>[number] & {
  readonly includes?: Condition;
  readonly excludes?: Condition;
};

/** Docker's form of a profile: rules hold for some architectures and capabilities. */
interface EngineProfile {
  readonly defaultAction: Seccomp['defaultAction'];
  readonly defaultErrnoRet?: number;
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly syscalls: readonly Rule[];
}

/** The profile as an engine writes it into config.json for a container with these capabilities. */
function profileFor(capabilities: readonly string[]): Seccomp {
  const profile: EngineProfile = JSON.parse(readFileSync(PROFILE, 'utf8'));
  const [machine, architecture] = MACHINE[process.arch === 'arm64' ? 'arm64' : 'x64'];
  const applies = ({ includes = {}, excludes = {} }: Rule): boolean =>
    (includes.caps ?? []).every((name) => capabilities.includes(name)) &&
    (includes.arches?.includes(machine) ?? true) &&
    !(excludes.caps ?? []).some((name) => capabilities.includes(name)) &&
    excludes.arches?.includes(machine) !== true;
  const known = profile.archMap.find((one) => one.architecture === architecture);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: [architecture, ...(known?.subArchitectures ?? [])] as NonNullable<Seccomp['architectures']>,
    syscalls: profile.syscalls.filter(applies).map(specified),
  };
}

/** What the specification knows of a rule; engines pass nothing else on: no comments, no conditions. */
function specified({ names, action, errnoRet, args }: Rule): NonNullable<Seccomp['syscalls']>[number] {
  return { names, action, ...(errnoRet === undefined ? {} : { errnoRet }), ...(args === undefined ? {} : { args }) };
}

function withProfile(config: Config): Config {
  return { ...config, linux: { ...config.linux, seccomp: profileFor(config.process?.capabilities?.bounding ?? []) } };
}

export const seccomp: Topic = {
  name: 'seccomp',
  missing: () => (existsSync(PROFILE) ? undefined : `${PROFILE} is not there: apt-get install podman`),
  measure: (setting: Setting) => {
    const { sys, trueBundle, runtimes, directory, busybox, rounds } = setting;
    const filtered = makeBundle(directory, 'filtered', busybox, ['/bin/true'], withProfile);
    const contestants = runtimes.flatMap((runtime) =>
      [filtered, trueBundle].map((bundle) => () => timeSuccess(sys, runtimeCommand(runtime, 'run', '--bundle', bundle, freshId()))),
    );
    const samples = inTurns(rounds, contestants);
    const costs = runtimes.map(({ name }, index) => {
      const plain = samples[2 * index + 1] ?? [];
      const differences = (samples[2 * index] ?? []).map((value, round) => value - (plain[round] ?? 0));
      return [name, median(differences)] as const;
    });
    const medians = Object.fromEntries(costs);
    const goals = [{ name: 'ms for the profile', value: medians['tsrun'] ?? 0, limit: 1 }];
    return [{ topic: 'seccomp', what: "what an engine's system call filter costs a run", medians, unit: 'ms', goals }];
  },
};
