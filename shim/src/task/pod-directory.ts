/** Where the records of pods are, beside those of tasks. */
export function podDirectory(stateDirectory: string): string {
  return `${stateDirectory}.pods`;
}
