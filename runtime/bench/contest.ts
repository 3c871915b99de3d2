/** What the topics are made of: command lines, containers' names, and a comparison in turns. */
import { type Command, inTurns, median, pairedRatio } from './measure.ts';
import type { Row } from './report.ts';
import type { Runtime, Setting } from './setting.ts';

export interface Topic {
  readonly name: string;
  /** Why it cannot be measured on this machine. */
  missing?(): string | undefined;
  measure(setting: Setting): Row[];
}

/** A command line. */
export function command(path: string, ...args: string[]): Command {
  return { path, args };
}

/** A command line of a runtime, its state on the tmpfs of the setting. */
export function runtimeCommand({ path, root }: Runtime, ...args: string[]): Command {
  return { path, args: ['--root', root, ...args] };
}

let serial = 0;
export function freshId(): string {
  serial++;
  return `bench-${process.pid}-${serial}`;
}

export function compare(
  setting: Setting,
  topic: string,
  what: string,
  contestants: ReadonlyMap<string, (round: number) => number>,
  limits: Readonly<Record<string, number>>,
): Row {
  const names = [...contestants.keys()];
  const samples = inTurns(setting.rounds, [...contestants.values()]);
  const ours = samples[0] ?? [];
  const goals = names.slice(1).flatMap((name, index) => {
    const limit = limits[name];
    return limit === undefined ? [] : [{ name: `${names[0]} / ${name}`, value: pairedRatio(ours, samples[index + 1] ?? []), limit }];
  });
  const medians = Object.fromEntries(names.map((name, index) => [name, median(samples[index] ?? [])]));
  return { topic, what, medians, unit: 'ms', goals };
}
