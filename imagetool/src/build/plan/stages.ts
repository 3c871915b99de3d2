/** Which stages a build needs, each planned on what it begins with. Images are asked for; everything else is in the Dockerfile. */

import type { ContainerConfig, ImageConfig } from '../../../../specs/image/config.ts';
import type { Platform } from '../../../../specs/image/descriptor.ts';
import { ImageError } from '../../base/errors.ts';
import { formatPlatform, parsePlatform } from '../../image/platform.ts';
import type { Dockerfile, Stage } from '../dockerfile/ast.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { type ExpandedFrom, expandFrom, globalScope } from '../dockerfile/expand.ts';
import { parseTrigger } from '../dockerfile/parse.ts';
import { StageScope, type Variables } from '../dockerfile/scope.ts';
import { sourceOf } from '../dockerfile/source.ts';
import { SCRATCH_CONFIG } from './config.ts';
import { type PlacedInstruction, planStage } from './stage.ts';
import { type FileSource, type StageBase, type StagePlan, stagesOf } from './step.ts';

export interface PlanOptions {
  readonly dockerfile: Dockerfile;
  /** A stage's name or number; undefined: the last one. */
  readonly target?: string;
  readonly buildArguments: ReadonlyMap<string, string>;
  /** Of this machine, and of the image. */
  readonly buildPlatform: Platform;
  readonly platform: Platform;
  /** Names of --build-context. */
  readonly named: ReadonlySet<string>;
  /** Of those, the ones that are images, by what they are called. */
  readonly namedImages: ReadonlyMap<string, string>;
  readonly network: 'default' | 'none' | 'host';
  /** Configuration of a base image. */
  readonly imageConfig: (reference: string, platform: Platform) => Promise<ImageConfig>;
}

export interface BuildPlan {
  /** The target is the last one. */
  readonly stages: readonly StagePlan[];
  readonly target: StagePlan;
}

/** Throws DockerfileError, ImageError `target`, and what `imageConfig` throws. */
export async function planBuild(options: PlanOptions): Promise<BuildPlan> {
  const planner = new Planner(options);
  const target = await planner.plan(targetOf(options));
  return { stages: planner.planned(), target };
}

function targetOf({ dockerfile, target }: PlanOptions): Stage {
  const last = dockerfile.stages.at(-1) ?? dockerfile.stages[0];
  if (target === undefined) return last;
  const found = dockerfile.stages.find((stage) => stage.name === target.toLowerCase() || String(stage.index) === target);
  if (found !== undefined) return found;
  const names = dockerfile.stages.map((stage) => stage.name ?? String(stage.index));
  throw new ImageError('target', `there is no stage ${JSON.stringify(target)} in ${dockerfile.source.name}`, {
    hint: `The stages are: ${names.join(', ')}.`,
  });
}

class Planner {
  readonly #options: PlanOptions;
  readonly #globals: Variables;
  readonly #plans = new Map<number, StagePlan>();

  constructor(options: PlanOptions) {
    this.#options = options;
    this.#globals = globalScope(options.dockerfile, platformArguments(options), options.buildArguments);
  }

  /** Dependencies before what needs them. */
  planned(): StagePlan[] {
    return [...this.#plans.values()];
  }

  async plan(stage: Stage): Promise<StagePlan> {
    const known = this.#plans.get(stage.index);
    if (known !== undefined) return known;
    const { dockerfile } = this.#options;
    const from = expandFrom(stage.from, this.#globals, dockerfile).result;
    const platform = from.platform === undefined ? this.#options.platform : parsePlatform(from.platform);
    const base = this.#baseOf(stage, from, platform);
    const begin = await this.#beginOf(base, stage, platform);
    const plan = planStage({
      index: stage.index,
      label: this.#labelOf(stage),
      base,
      baseConfig: begin.config,
      ...(begin.author === undefined ? {} : { baseAuthor: begin.author }),
      instructions: [
        ...this.#contents(from.image, stage),
        ...this.#triggers(begin.config, from.image, stage),
        ...stage.instructions.map((instruction) => ({ instruction, language: dockerfile })),
      ],
      scope: begin.scope,
      platform,
      sourceOf: (name) => this.#sourceOf(name, stage.index, platform),
      network: this.#options.network,
    });
    for (const index of plan.steps.flatMap(stagesOf)) await this.#planIndex(index);
    this.#plans.set(stage.index, plan);
    return plan;
  }

  async #planIndex(index: number): Promise<StagePlan> {
    const stage = this.#options.dockerfile.stages[index];
    if (stage === undefined) throw new ImageError('target', `there is no stage ${index}`);
    return await this.plan(stage);
  }

  #labelOf(stage: Stage): string {
    if (stage.name !== undefined) return stage.name;
    return this.#options.dockerfile.stages.length === 1 ? '' : `stage-${stage.index}`;
  }

  #baseOf(stage: Stage, { image }: ExpandedFrom, platform: Platform): StageBase {
    const { named, namedImages } = this.#options;
    const name = image.toLowerCase();
    const namedImage = namedImages.get(name);
    if (namedImage !== undefined) return { kind: 'image', reference: namedImage, platform };
    if (named.has(name) || name === 'scratch') return { kind: 'scratch' };
    const before = this.#stageBefore(name, stage.index);
    return before === undefined ? { kind: 'image', reference: image, platform } : { kind: 'stage', index: before };
  }

  /** Of stages with the same name the last one before. */
  #stageBefore(name: string, index: number): number | undefined {
    return this.#options.dockerfile.stages.slice(0, index).findLast((stage) => stage.name === name)?.index;
  }

  async #beginOf(
    base: StageBase,
    stage: Stage,
    platform: Platform,
  ): Promise<{ config: ContainerConfig; scope: StageScope; author?: string }> {
    if (base.kind === 'stage') {
      const { config, scope, author } = await this.#planIndex(base.index);
      return { config, scope, ...(author === undefined ? {} : { author }) };
    }
    if (base.kind !== 'image') return { config: SCRATCH_CONFIG, scope: this.#scope(SCRATCH_CONFIG.Env ?? []) };
    try {
      const { config = {}, author } = await this.#options.imageConfig(base.reference, platform);
      return { config, scope: this.#scope(config.Env ?? []), ...(author === undefined || author === '' ? {} : { author }) };
    } catch (error) {
      throw this.#unreachable(stage, base.reference, error);
    }
  }

  #unreachable(stage: Stage, reference: string, cause: unknown): unknown {
    if (!(cause instanceof Error)) return cause;
    const hint = cause instanceof ImageError ? cause.hint : undefined;
    const problem = {
      range: stage.from.image.range,
      reason: `the base image ${reference} cannot be had: ${cause.message}`,
      ...(hint === undefined ? {} : { hint }),
    };
    return new DockerfileError(this.#options.dockerfile.source, [problem]);
  }

  #scope(environment: readonly string[]): StageScope {
    return StageScope.begin({ environment, globals: this.#globals, buildArguments: this.#options.buildArguments });
  }

  /** A stage FROM a context with a name begins with its files. */
  #contents(image: string, stage: Stage): PlacedInstruction[] {
    const { named, namedImages, dockerfile } = this.#options;
    const context = image.toLowerCase();
    if (!named.has(context) || namedImages.has(context)) return [];
    const expression = `COPY --from=${context} . /`;
    const name = `FROM ${image} (${dockerfile.source.name}:${stage.from.range.start.line})`;
    return [{ instruction: parseTrigger(expression, name), language: { source: sourceOf(name, expression), escape: '\\' } }];
  }

  /** Instructions that the base wants carried out in whatever is built on it. */
  #triggers(config: ContainerConfig, image: string, stage: Stage): PlacedInstruction[] {
    return (config.OnBuild ?? []).map((expression) => {
      const name = `ONBUILD of ${image} (${this.#options.dockerfile.source.name}:${stage.from.range.start.line})`;
      return { instruction: parseTrigger(expression, name), language: { source: sourceOf(name, expression), escape: '\\' } };
    });
  }

  #sourceOf(name: string, index: number, platform: Platform): FileSource {
    const { named, namedImages, dockerfile } = this.#options;
    const lower = name.toLowerCase();
    const namedImage = namedImages.get(lower);
    if (namedImage !== undefined) return { kind: 'image', reference: namedImage, platform };
    if (named.has(lower)) return { kind: 'named', name: lower };
    const before = this.#stageBefore(lower, index);
    if (before !== undefined) return { kind: 'stage', index: before };
    if (/^\d+$/.test(name)) {
      if (Number(name) < index) return { kind: 'stage', index: Number(name) };
      throw new ImageError('from', `--from=${name}: stage ${index} can take files from stages before it only`);
    }
    if (dockerfile.stages.some((stage) => stage.name === lower)) {
      throw new ImageError('from', `--from=${name}: that stage does not come before stage ${dockerfile.stages[index]?.name ?? index}`);
    }
    return { kind: 'image', reference: name, platform };
  }
}

/** Predefined arguments of platforms. */
export function platformArguments({ platform, buildPlatform }: Pick<PlanOptions, 'platform' | 'buildPlatform'>): Map<string, string> {
  const of = (prefix: string, { os, architecture, variant }: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) })],
    [`${prefix}OS`, os],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant ?? ''],
  ];
  return new Map([...of('TARGET', platform), ...of('BUILD', buildPlatform)]);
}
