/**
 * Changes to a configuration, by path: `{ 'process.cwd': '/tmp', 'mounts+': { … } }`. A trailing `+` appends a value, or the values of a
 * list; `undefined` removes the property; numbers are places of a list. Parts that hold dots are written with `/` between the steps.
 * The values are not checked: tests are about wrong ones too.
 */
export type ConfigPatch = Readonly<Record<string, unknown>>;

type Container = Record<string, unknown>;

export function applyPatch(config: object, patch: ConfigPatch): void {
  for (const [path, value] of Object.entries(patch)) applyOne(config as Container, path, value);
}

function applyOne(config: Container, path: string, value: unknown): void {
  const appends = path.endsWith('+');
  const text = appends ? path.slice(0, -1) : path;
  const steps = text.split(text.includes('/') ? '/' : '.');
  const last = steps.pop() ?? '';
  let place = config;
  for (const step of steps) {
    if (typeof place[step] !== 'object' || place[step] === null) place[step] = {};
    place = place[step] as Container;
  }
  if (appends) {
    place[last] = [...(Array.isArray(place[last]) ? place[last] : []), ...(Array.isArray(value) ? value : [value])];
  } else if (value === undefined) {
    delete place[last];
  } else {
    place[last] = value;
  }
}
