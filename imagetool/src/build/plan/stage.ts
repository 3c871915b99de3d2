/** From a stage of the Dockerfile to its steps, its history and the configuration of its image. Pure: the base is given, nothing is looked up. */

import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { Platform } from '../../../../specs/image/descriptor.ts';
import type { StageInstruction } from '../dockerfile/ast.ts';
import { expandInstruction, type Language } from '../dockerfile/expand.ts';
import type { ExpandedAdd, ExpandedCopy, ExpandedInstruction, ExpandedRun, Mount } from '../dockerfile/expanded.ts';
import type { StageScope } from '../dockerfile/scope.ts';
import { applyToConfig, type ConfigState, DEFAULT_PATH, shellOf, workdirOf } from './config.ts';
import { createdBy } from './history.ts';
import { absolutePath, destinationPath } from './paths.ts';
import type { CopyStep, FileSource, HistoryLine, RunMount, RunStep, StageBase, StagePlan, Step } from './step.ts';

/** One instruction and the file it stands in. */
export interface PlacedInstruction {
  readonly instruction: StageInstruction;
  readonly language: Language;
}

export interface StageInput {
  readonly index: number;
  readonly label: string;
  readonly base: StageBase;
  readonly baseConfig: ContainerConfig;
  readonly baseAuthor?: string;
  /** The base's triggers and then the stage's own. */
  readonly instructions: readonly PlacedInstruction[];
  readonly scope: StageScope;
  readonly platform: Platform;
  /** What `--from` names. Throws for what is none of a stage before this, an image, a named context. */
  readonly sourceOf: (name: string) => FileSource;
  /** --network. */
  readonly network: 'default' | 'none' | 'host';
}

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

/** Throws DockerfileError for what cannot be expanded, and what `sourceOf` throws. */
export function planStage(input: StageInput): StagePlan {
  const { OnBuild: _, ...baseConfig } = input.baseConfig;
  let state: ConfigState = {
    config: baseConfig,
    hasOwnCommand: false,
    ...(input.baseAuthor === undefined ? {} : { author: input.baseAuthor }),
  };
  let { scope } = input;
  const steps: Step[] = [];
  const history: HistoryLine[] = [];
  for (const placed of input.instructions) {
    const { result } = expandInstruction(placed.instruction, scope, placed.language);
    const step = stepOf({ input, placed, config: state.config, scope }, result);
    const text = createdBy(result, state.config, scope, step?.kind === 'run' ? step.argv : []);
    history.push({ createdBy: text, ...(step === undefined ? {} : { step: steps.length }) });
    if (step !== undefined) steps.push(step);
    state = applyToConfig(state, result);
    if (result.kind === 'ARG' || result.kind === 'ENV') scope = scope.after(result);
  }
  return {
    index: input.index,
    label: input.label,
    base: input.base,
    steps,
    history,
    config: state.config,
    ...(state.author === undefined ? {} : { author: state.author }),
    platform: input.platform,
    scope,
  };
}

interface Place {
  readonly input: StageInput;
  readonly placed: PlacedInstruction;
  readonly config: ContainerConfig;
  readonly scope: StageScope;
}

/** Undefined for what makes no layer. */
function stepOf(place: Place, result: ExpandedInstruction): Step | undefined {
  const { placed, config } = place;
  const base = { instruction: placed.instruction, language: placed.language, title: titleOf(placed.instruction) };
  switch (result.kind) {
    case 'RUN':
      return { ...base, ...runStep(place, result) };
    case 'COPY':
    case 'ADD':
      return { ...base, ...copyStep(place, result) };
    case 'WORKDIR': {
      const path = absolutePath(workdirOf(config), result.path);
      // The root is there.
      return path === '/' ? undefined : { ...base, kind: 'workdir', path, user: config.User ?? '' };
    }
    default:
      return undefined;
  }
}

function titleOf({ code, keyword }: StageInstruction): string {
  return `${keyword.text.toUpperCase()}${code.trim().slice(keyword.text.length)}`;
}

type WithoutBase<T> = Omit<T, 'instruction' | 'language' | 'title'>;

function runStep({ input, config, scope }: Place, result: ExpandedRun): WithoutBase<RunStep> {
  const workdir = workdirOf(config);
  return {
    kind: 'run',
    form: result.run,
    argv: argvOf(config, result),
    env: withPath(scope.environment()),
    proxyEnv: PROXIES.flatMap((name) => {
      const value = scope.get(name) === undefined ? scope.buildArguments.get(name) : undefined;
      return value === undefined ? [] : [`${name}=${value}`];
    }),
    user: config.User ?? '',
    workdir,
    mounts: result.mounts.map((mount) => runMount(input, workdir, mount)),
    network: result.network === 'default' ? input.network : result.network,
  };
}

function argvOf(config: ContainerConfig, { run }: ExpandedRun): readonly string[] {
  if (run.form === 'exec') return run.argv;
  return run.form === 'shell' ? [...shellOf(config), run.text] : [`/dev/pipes/${run.name}`];
}

function withPath(env: readonly string[]): readonly string[] {
  return env.some((one) => one.startsWith('PATH=')) ? env : [`PATH=${DEFAULT_PATH}`, ...env];
}

function runMount(input: StageInput, workdir: string, mount: Mount): RunMount {
  const target = mount.target === undefined ? {} : { target: absolutePath(workdir, mount.target) };
  if (mount.type === 'bind')
    return { mount, ...target, source: mount.from === undefined ? { kind: 'context' } : input.sourceOf(mount.from) };
  if (mount.type === 'cache' && mount.from !== undefined) return { mount, ...target, source: input.sourceOf(mount.from) };
  return { mount, ...target };
}

function copyStep({ input, config }: Place, result: ExpandedCopy | ExpandedAdd): WithoutBase<CopyStep> {
  const from: FileSource = result.kind === 'COPY' && result.from !== undefined ? input.sourceOf(result.from) : { kind: 'context' };
  return {
    kind: 'copy',
    isAdd: result.kind === 'ADD',
    from,
    sources: result.sources,
    files: result.files,
    destination: destinationPath(workdirOf(config), result.destination),
    ...(result.chown === undefined ? {} : { chown: result.chown }),
    ...(result.chmod === undefined ? {} : { chmod: result.chmod }),
    link: result.link,
    parents: result.kind === 'COPY' && result.parents,
    excludes: result.excludes,
    ...(result.kind === 'ADD' ? addFields(result) : {}),
  };
}

function addFields({ checksum, keepGitDir, unpack }: ExpandedAdd): Pick<CopyStep, 'checksum' | 'keepGitDir' | 'unpack'> {
  return {
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}
