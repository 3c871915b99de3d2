/** The drift of a container for people. */
import type { Difference } from '../operations/drift/difference.ts';

const PLACE_COLUMN = 40;

export function driftText(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'The container is as its configuration says.\n';
  return differences.map((difference) => `${lines(difference).join('\n')}\n`).join('');
}

function lines({ aspect, object, configPath, expected, actual }: Difference): string[] {
  const head = `${aspect} ${object}`;
  return [configPath === undefined ? head : `${head.padEnd(PLACE_COLUMN)}  ${configPath}`, `  - ${expected}`, `  + ${actual}`];
}
