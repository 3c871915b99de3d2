/** Amounts of memory as docker reads and prints them. */

import { invalid } from './errors.ts';

const POWER: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `512m`, `1.5GiB`, `1024`: bytes, 1024 to the step. @throws ContainerError invalid */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) throw invalid(`invalid size: '${text}'`, 'Give a number with b, k, m or g: 512m.');
  return Math.floor(Number(match[1]) * 1024 ** (POWER[(match[2] ?? '').toLowerCase()] ?? 0));
}

/** `23.4MiB`: four significant digits, as `docker stats` prints it. */
export function formatBinarySize(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'], 4);
}

/** `1.23MB`: three significant digits, decimal. */
export function formatDecimalSize(bytes: number): string {
  return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], 3);
}

function scaled(bytes: number, step: number, units: readonly string[], digits: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= step - (step === 1000 ? 0.5 : 0) && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}
