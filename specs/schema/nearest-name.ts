/** The name among `names` that `name` is most likely a misspelling of; undefined if none is near. Upper and lower case are alike. */
export function findNearestName(name: string, names: Iterable<string>): string | undefined {
  const lowered = name.toLowerCase();
  let nearest: string | undefined;
  // A third of the letters may be wrong: more would suggest names that have nothing to do with it.
  let nearestDistance = Math.floor(Math.max(name.length, 3) / 3) + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= nearestDistance) continue;
    const distance = measureDistance(lowered, candidate.toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Levenshtein's distance: how many letters have to be inserted, removed or replaced to make `to` of `from`. */
function measureDistance(from: string, to: string): number {
  // row[j] is the distance from the first i letters of `from` to the first j of `to`.
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
