/** Carries out the plan: stages side by side, the steps of a stage one after another, each taken from the cache where its inputs are the same. */

import type { Digest } from '../../../../specs/image/digest.ts';
import { ImageError } from '../../base/errors.ts';
import type { LoadedImage } from '../../image/load.ts';
import { type Input, keyOf, runInputs } from '../cache/inputs.ts';
import type { StepResult } from '../cache/records.ts';
import { ignoreFilter } from '../context/filter.ts';
import { prepareDeliveries } from '../copy/deliveries.ts';
import { ignorePatterns } from '../ignore/ignore-file.ts';
import type { BuildPlan } from '../plan/stages.ts';
import { type CopyStep, type FileSource, type RunStep, type StagePlan, type Step, stagesOf } from '../plan/step.ts';
import type { ProgressStep } from '../progress/progress.ts';
import { describeDifference } from './explain.ts';
import { StepError } from './failure.ts';
import { chainOf, type LayerStack, layersOfImage } from './layers.ts';
import type { RunOptions } from './run-step.ts';
import type { Session } from './session.ts';
import { mountSource, openSource, type ResolvedSource, resolveSource } from './sources.ts';

/** A stage when all its steps are done. */
export interface BuiltStage {
  readonly plan: StagePlan;
  /** What it is FROM; undefined for scratch. */
  readonly base?: LoadedImage | BuiltStage;
  readonly layers: LayerStack;
  /** One for each step. */
  readonly results: readonly StepResult[];
}

/** Throws StepError and other failures of the first step that fails; the steps that run meanwhile are stopped by the session's signal. */
export async function executePlan(session: Session, plan: BuildPlan): Promise<{ target: BuiltStage; stages: readonly BuiltStage[] }> {
  const execution = new Execution(session, plan);
  try {
    const target = await execution.stage(plan.target.index);
    return { target, stages: await execution.built() };
  } catch (error) {
    session.options.abort();
    await execution.settle();
    // What the target ran into may be only that everything was stopped.
    throw execution.failure?.error ?? error;
  }
}

/** What a step is given to be carried out when the cache does not have it. */
interface Work {
  readonly inputs: readonly Input[];
  run(): Promise<StepResult>;
}

class Execution {
  readonly #session: Session;
  readonly #plan: BuildPlan;
  readonly #stages = new Map<number, Promise<BuiltStage>>();
  /** The first one, which stops all stages. */
  failure: { readonly error: unknown } | undefined;

  constructor(session: Session, plan: BuildPlan) {
    this.#session = session;
    this.#plan = plan;
  }

  /** Waits until nothing is under way any more. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#stages.values());
  }

  async built(): Promise<BuiltStage[]> {
    return await Promise.all(this.#stages.values());
  }

  async stage(index: number): Promise<BuiltStage> {
    const known = this.#stages.get(index);
    if (known !== undefined) return await known;
    const plan = this.#plan.stages.find((stage) => stage.index === index);
    if (plan === undefined) throw new ImageError('target', `stage ${index} was not planned`);
    const begun = this.#build(plan).catch((error: unknown) => {
      this.failure ??= { error };
      this.#session.options.abort();
      throw error;
    });
    this.#stages.set(index, begun);
    // What the stage will need is begun at once, so that stages are built side by side.
    for (const other of neededStages(plan)) this.stage(other).catch(() => undefined);
    return await begun;
  }

  async #build(plan: StagePlan): Promise<BuiltStage> {
    const base = await this.#base(plan);
    let layers = base === undefined ? [] : layersOf(base);
    const results: StepResult[] = [];
    for (const [index, step] of plan.steps.entries()) {
      this.#session.options.signal.throwIfAborted();
      const result = await this.#step(plan, index, step, layers);
      results.push(result);
      if (result.layer !== undefined) layers = [...layers, result.layer];
    }
    return { plan, ...(base === undefined ? {} : { base }), layers, results };
  }

  /** `[linux/arm64 build 2/4]`, without what goes without saying. */
  #prefix(label: string, number: number, count: number): string {
    const words = [this.#session.options.platformLabel, label].filter((word) => word !== '');
    return `[${[...words, `${String(number).padStart(String(count).length)}/${count}`].join(' ')}]`;
  }

  async #base({ base, label, steps }: StagePlan): Promise<LoadedImage | BuiltStage | undefined> {
    const { progress, loadImage } = this.#session.options;
    if (base.kind === 'stage') return await this.stage(base.index);
    if (base.kind === 'scratch') return undefined;
    return await progress.during(`${this.#prefix(label, 1, steps.length + 1)} FROM ${base.reference}`, () =>
      loadImage(base.reference, base.platform),
    );
  }

  async #step(plan: StagePlan, index: number, step: Step, below: LayerStack): Promise<StepResult> {
    const { progress, noCache, signal } = this.#session.options;
    const fsSteps = plan.steps.length + (plan.base.kind === 'scratch' ? 0 : 1);
    const number = index + 1 + (plan.base.kind === 'scratch' ? 0 : 1);
    const name = `${this.#prefix(plan.label, number, fsSteps)} ${step.title}`;
    await this.#await(step);
    const told = progress.begin(name);
    try {
      if (this.#session.options.breakAt?.(name) === true) return await this.#shell(plan, step, { below, told });
      const work = await this.#workOf(step, below, told);
      const inputs = [...this.#commonInputs(), ...work.inputs];
      const key = keyOf(inputs);
      const traced = { place: `${plan.label}/${index}`, title: step.title, key, inputs };
      this.#session.options.trace.add(traced);
      const mayUseCache = noCache !== 'all' && !noCache.has(plan.label);
      const { records } = this.#session;
      const found = mayUseCache ? await records.lookup(key, this.#session.options.cacheSources) : undefined;
      describeDifference(this.#session.options.trace, traced, { isHit: found !== undefined, mayUseCache, told });
      if (found !== undefined) {
        if (found.layer !== undefined) await this.#session.options.lease.protect(found.layer.descriptor.digest);
        this.#session.use(plan.index, key, found);
        told.end('cached');
        return found;
      }
      const { isFirst, result: carriedOut } = this.#session.options.shared.once(key, () => work.run());
      const result = { ...(await carriedOut), title: step.title };
      if (isFirst) records.store(key, result);
      this.#session.use(plan.index, key, result);
      told.end('done');
      return result;
    } catch (error) {
      told.end(signal.aborted ? 'canceled' : 'error', firstLine(error));
      throw placed(error, step, name, signal);
    }
  }

  /** Times in layers are no later than the epoch. */
  #commonInputs(): Input[] {
    const { epochSeconds } = this.#session.options;
    return epochSeconds === undefined ? [] : [{ name: 'SOURCE_DATE_EPOCH', value: String(epochSeconds) }];
  }

  /** A step begins when what it takes files from is there. */
  async #await(step: Step): Promise<void> {
    for (const index of stagesOf(step)) await this.stage(index);
  }

  async #workOf(step: Step, below: LayerStack, told: ProgressStep): Promise<Work> {
    const chain = chainOf(below);
    if (step.kind === 'run') return await this.#runWork(step, below, chain, told);
    if (step.kind === 'copy') return await this.#copyWork(step, below, chain);
    const inputs = [
      { name: 'the layers below', value: chain },
      { name: 'directory', value: step.path },
      { name: 'user', value: step.user },
    ];
    const run = async (): Promise<StepResult> => {
      const { executeWorkdir } = await import('./copy-step.ts');
      return await executeWorkdir(this.#session, step, below);
    };
    return { inputs, run };
  }

  async #runWork(step: RunStep, below: LayerStack, chain: Digest | '', told: ProgressStep): Promise<Work> {
    const contents = new Map<string, string>();
    for (const { source, target, mount } of step.mounts) {
      if (source === undefined || mount.type === 'cache') continue;
      contents.set(target ?? '', await this.#contentOf(await this.#resolve(source), mount.type === 'bind' ? mount.source : '/'));
    }
    return {
      inputs: runInputs(step, { parent: chain, mountContents: contents, hosts: this.#session.options.hosts }),
      run: () => runStep({ session: this.#session, step, below, progress: told, mountSource: this.#opener() }),
    };
  }

  /** In the place of a step: with its mounts and variables, if it is a RUN. */
  async #shell({ config }: StagePlan, step: Step, { below, told }: { below: LayerStack; told: ProgressStep }): Promise<StepResult> {
    const { instruction, language, title } = step;
    const plain: RunStep = {
      kind: 'run',
      instruction,
      language,
      title,
      form: { form: 'exec', argv: [] },
      argv: [],
      env: config.Env ?? [],
      proxyEnv: [],
      user: '',
      workdir: '/',
      mounts: [],
      network: 'default',
    };
    const mountSource = this.#opener();
    return await runStep({
      session: this.#session,
      step: step.kind === 'run' ? step : plain,
      below,
      progress: told,
      mountSource,
      isShell: true,
    });
  }

  #opener(): RunOptions['mountSource'] {
    return async (source, wish) => await mountSource(this.#session, await this.#resolve(source), wish);
  }

  /** Of files that a RUN step sees: of layers their chain, of a directory the content. */
  async #contentOf(source: ResolvedSource, path: string): Promise<string> {
    if (source.kind === 'layers') return `${source.chain} ${path}`;
    const { sys } = this.#session.options.store;
    const step = { sources: [path], files: [], isAdd: false, parents: false };
    const { inputs } = await prepareDeliveries(step, { ...this.#deliveryOptions(source), sys, directory: '', excludes: noExcludes() });
    return keyOf(inputs);
  }

  #deliveryOptions(source: ResolvedSource) {
    const { signal } = this.#session.options;
    return {
      origin: () => openSource(this.#session, source),
      hashes: (root: string) => this.#session.hashes(root),
      signal,
    };
  }

  async #copyWork(step: CopyStep, below: LayerStack, chain: Digest | ''): Promise<Work> {
    const source = await this.#resolve(step.from);
    const { workspace, store } = this.#session.options;
    const space = workspace.step();
    const prepared = await prepareDeliveries(step, {
      ...this.#deliveryOptions(source),
      sys: store.sys,
      directory: space.directory,
      excludes: step.excludes.length === 0 ? noExcludes() : ignoreFilter(ignorePatterns(step.excludes, '--exclude'), excludedBy),
    });
    return {
      inputs: [...(step.link ? [] : [{ name: 'the layers below', value: chain }]), ...copyInputs(step), ...prepared.inputs],
      run: async () => {
        try {
          const { executeCopy } = await import('./copy-step.ts');
          return await executeCopy(this.#session, step, below, await prepared.deliver());
        } finally {
          workspace.finish(space);
        }
      },
    };
  }

  async #resolve(source: FileSource): Promise<ResolvedSource> {
    return await resolveSource(this.#session, source, async (index) => {
      const { plan, layers } = await this.stage(index);
      return { name: `stage ${plan.label || index}`, layers };
    });
  }
}

/** The runtime is loaded with it: a build that finds everything in the cache does without. */
async function runStep(options: RunOptions): Promise<StepResult> {
  const { executeRun } = await import('./run-step.ts');
  return await executeRun(options);
}

const noExcludes = () => ({ excludes: () => false, mayIncludeBelow: () => false, reason: () => undefined });
const excludedBy = (_line: number, pattern: string): string => `--exclude=${pattern} leaves it out`;

function copyInputs(step: CopyStep): Input[] {
  return [
    { name: 'destination', value: step.destination },
    ...(step.chown === undefined ? [] : [{ name: '--chown', value: step.chown }]),
    ...(step.chmod === undefined ? [] : [{ name: '--chmod', value: step.chmod.text }]),
    {
      name: 'kind',
      value: [step.isAdd ? 'ADD' : 'COPY', step.link ? 'link' : '', step.parents ? 'parents' : '', String(step.unpack ?? '')].join(' '),
    },
  ];
}

function neededStages(plan: StagePlan): number[] {
  const own = plan.base.kind === 'stage' ? [plan.base.index] : [];
  return [...own, ...plan.steps.flatMap(stagesOf)];
}

export function layersOf(base: LoadedImage | BuiltStage): LayerStack {
  return 'layers' in base ? base.layers : layersOfImage(base);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/** Failures get their place in the Dockerfile, those of other stages have one. */
function placed(error: unknown, step: Step, name: string, signal: AbortSignal): unknown {
  const isShellEnd = error instanceof ImageError && error.code === 'shell-ended';
  if (error instanceof StepError || isShellEnd || signal.aborted || !(error instanceof Error)) return error;
  const isForeseen = error instanceof ImageError || 'syscall' in error || 'code' in error;
  if (!isForeseen) return error;
  const hint = error instanceof ImageError && error.hint !== undefined ? { hint: error.hint } : {};
  return new StepError({ step, name, reason: error.message, ...hint }, { cause: error });
}
