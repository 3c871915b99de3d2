/** The inputs of the steps of the last build of the same kind: what --explain compares with. */

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject } from '../../../../specs/image/shape.ts';
import { digestOf } from '../../digest/digest.ts';
import { readIfExists, replaceHint } from '../../store/files.ts';
import type { Layout } from '../../store/layout.ts';
import { type Difference, firstDifference, type Input } from './inputs.ts';

export interface TracedStep {
  /** `stage/3`. */
  readonly place: string;
  readonly title: string;
  readonly key: string;
  readonly inputs: readonly Input[];
}

export class Trace {
  /** --explain. */
  readonly isAsked: boolean;
  readonly #path: string;
  readonly #steps: TracedStep[] = [];
  #before: readonly TracedStep[] | undefined;

  /** `build` names what is built: context, Dockerfile, target, platform. */
  constructor(layout: Layout, build: string, isAsked: boolean) {
    this.isAsked = isAsked;
    this.#path = join(layout.build, 'traces', digestOf(build).slice(7, 39));
  }

  add(step: TracedStep): void {
    this.#steps.push(step);
  }

  /** Why a step is not the one it was: undefined where there was none at its place. */
  difference(step: TracedStep): Difference | undefined {
    const before = this.#find(step);
    if (before === undefined) return undefined;
    return firstDifference(before.inputs, step.inputs);
  }

  /** Whether there was such a step in the last build. */
  knows(step: TracedStep): boolean {
    return this.#find(step) !== undefined;
  }

  save(): void {
    const before = this.#load();
    const isSame = before.length === this.#steps.length && this.#steps.every((step, index) => before[index]?.key === step.key);
    if (isSame || this.#steps.length === 0) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    replaceHint(this.#path, `${this.#steps.map((step) => JSON.stringify(step)).join('\n')}\n`);
  }

  /** At its place, unless another one with its words is there; else the same words in the same stage. */
  #find(step: TracedStep): TracedStep | undefined {
    const before = this.#load();
    const [stage] = step.place.split('/');
    const same = before.filter((one) => one.title === step.title && one.place.split('/')[0] === stage);
    return same.find((one) => one.place === step.place) ?? same[0] ?? before.find((one) => one.place === step.place);
  }

  #load(): readonly TracedStep[] {
    this.#before ??= (readIfExists(this.#path) ?? '').split('\n').flatMap(parseStep);
    return this.#before;
  }
}

function parseStep(line: string): TracedStep[] {
  if (line === '') return [];
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && Array.isArray(value['inputs']) ? [value as unknown as TracedStep] : [];
  } catch {
    return [];
  }
}
