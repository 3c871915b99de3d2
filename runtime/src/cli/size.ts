/** Sizes in bytes as people write them. */
import { RuntimeError } from '../base/errors.ts';

const UNITS = 'kmgtp';

/** "64m", "1.5GiB", "-1": units are powers of 1024, as in docker and runc. */
export function parseSize(name: string, text: string): number {
  if (text === '-1') return -1;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?b)?$/i.exec(text.trim());
  const power = match?.[2] === undefined || match[2] === '' ? 0 : UNITS.indexOf(match[2].toLowerCase()) + 1;
  const bytes = Math.floor(Number(match?.[1]) * 1024 ** power);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new RuntimeError(
    'usage',
    `invalid value ${JSON.stringify(text)} for --${name}: it is a size in bytes such as 64m, or -1 for no limit`,
    {
      configPath: `--${name}`,
    },
  );
}
