/** `--health-*` over the image's HEALTHCHECK. */

import type { Healthcheck } from '../../../../specs/image/config.ts';
import { invalid } from '../../container/errors.ts';
import { parseDuration } from '../../container/time.ts';
import type { Arguments } from '../cli/flags.ts';

const MIN_NS = 1e6;

/** Undefined: the image's, as it is. @throws ContainerError invalid */
export function healthcheckOf(args: Arguments, image: Healthcheck | undefined): Healthcheck | undefined {
  const names = ['health-cmd', 'health-interval', 'health-timeout', 'health-retries', 'health-start-period', 'health-start-interval'];
  const isGiven = names.some((name) => args.has(name));
  if (args.flag('no-healthcheck')) {
    if (isGiven) throw invalid('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!isGiven) return image;
  const duration = (name: string) => {
    const text = args.value(name);
    if (text === undefined) return undefined;
    const ns = parseDuration(text) ?? -1;
    if (ns < 0) throw invalid(`--${name} cannot be negative`);
    if (ns !== 0 && ns < MIN_NS) throw invalid(`--${name} cannot be less than 1ms`);
    return ns;
  };
  const retries = args.value('health-retries');
  if (retries !== undefined && Number(retries) < 0) throw invalid('--health-retries cannot be negative');
  const command = args.value('health-cmd');
  const entries: [keyof Healthcheck, unknown][] = [
    ['Test', command === undefined ? undefined : ['CMD-SHELL', command]],
    ['Interval', duration('health-interval')],
    ['Timeout', duration('health-timeout')],
    ['StartPeriod', duration('health-start-period')],
    ['StartInterval', duration('health-start-interval')],
    ['Retries', retries === undefined ? undefined : Number(retries)],
  ];
  return { ...image, ...Object.fromEntries(entries.filter(([, value]) => value !== undefined)) };
}
