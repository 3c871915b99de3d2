/** HEALTHCHECK: how to find out whether a container works. */

import { findNearestName } from '../../../../../specs/schema/nearest-name.ts';
import type { HealthcheckInstruction, Word } from '../ast.ts';
import { parseDuration } from '../duration.ts';
import { ProblemError } from '../error.ts';
import { flagsOf, type InstructionParts, needRest } from '../instruction-parts.ts';
import { commandOf } from './command.ts';

const SHORTEST_NS = 1e6;
const MOST_RETRIES = 2 ** 31 - 1;

export function parseHealthcheck(parts: InstructionParts): HealthcheckInstruction {
  const flags = flagsOf(parts, {
    interval: 'value',
    timeout: 'value',
    'start-period': 'value',
    'start-interval': 'value',
    retries: 'value',
  });
  const [type, command] = needRest(parts, 'CMD and a command, or NONE').splitOnce();
  const isNone = type.text.toUpperCase() === 'NONE';
  if (!isNone && type.text.toUpperCase() !== 'CMD') {
    const nearest = findNearestName(type.text, ['CMD', 'NONE']);
    throw new ProblemError(
      type.range,
      `HEALTHCHECK ${type.text}: it is CMD or NONE`,
      nearest === undefined ? 'Write HEALTHCHECK CMD before the command.' : `Did you mean ${nearest}?`,
    );
  }
  if (isNone && command !== undefined) throw new ProblemError(command.range, 'HEALTHCHECK NONE takes nothing more');
  const read = isNone || command === undefined ? undefined : commandOf(command);
  if (!isNone && (read === undefined || (read.form === 'exec' && read.argv.length === 0))) {
    throw new ProblemError(type.range, 'HEALTHCHECK CMD needs a command');
  }
  const times = {
    interval: durationOf(flags.value('interval'), 'interval'),
    timeout: durationOf(flags.value('timeout'), 'timeout'),
    startPeriod: durationOf(flags.value('start-period'), 'start-period'),
    startInterval: durationOf(flags.value('start-interval'), 'start-interval'),
  };
  const retries = retriesOf(flags.value('retries'));
  return {
    ...parts.base,
    kind: 'HEALTHCHECK',
    ...(times.interval === undefined ? {} : { interval: times.interval }),
    ...(times.timeout === undefined ? {} : { timeout: times.timeout }),
    ...(times.startPeriod === undefined ? {} : { startPeriod: times.startPeriod }),
    ...(times.startInterval === undefined ? {} : { startInterval: times.startInterval }),
    ...(read === undefined ? {} : { command: read }),
    ...(retries === undefined ? {} : { retries }),
  };
}

function durationOf(word: Word | undefined, name: string): number | undefined {
  if (word === undefined || word.text === '') return undefined;
  const duration = parseDuration(word.text);
  if (duration === undefined)
    throw new ProblemError(word.range, `--${name}=${word.text} is no duration`, 'Durations are as 30s, 1m30s or 500ms.');
  if (duration !== 0 && duration < SHORTEST_NS) throw new ProblemError(word.range, `--${name}=${word.text} is less than 1ms`);
  return duration;
}

function retriesOf(word: Word | undefined): number | undefined {
  if (word === undefined || word.text === '') return undefined;
  const retries = /^\+?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (!(retries <= MOST_RETRIES)) throw new ProblemError(word.range, `--retries=${word.text} is no number of tries`);
  return retries;
}
