/** What the steps of a plan leave mounted, and where. Pure. */
import {
  MOUNT_ATTR__ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MS_RDONLY,
} from '../../linux/mount-flags.ts';
import type { AttributeChange } from '../../plan/mount-options.ts';
import type { Step } from '../../plan/steps.ts';

export interface ExpectedMount {
  readonly destination: string;
  /** Of the file system; undefined for a bind mount. */
  readonly type: string | undefined;
  /** Of a bind mount: the host's path. */
  readonly source: string | undefined;
  /** With everything that is mounted below the source. */
  readonly tree: boolean;
  /** Attributes that it must have, and must not have. */
  readonly set: number;
  readonly clear: number;
  /** It hides what is there. */
  readonly masks?: true;
  /** Nothing is missed where the container does not have the place. */
  readonly optional: boolean;
  readonly configPath: string | undefined;
}

const ROOT = { destination: '/', type: undefined, source: undefined, tree: false, set: 0, clear: 0, optional: false, configPath: 'root' };

/** In the order of the steps; of two at one place the later one counts. */
export function expectedMounts(steps: readonly Step[]): ExpectedMount[] {
  const mounts = new Map<string, ExpectedMount>([['/', ROOT]]);
  for (const step of steps) note(mounts, step);
  return [...mounts.values()];
}

function note(mounts: Map<string, ExpectedMount>, step: Step): void {
  const { configPath } = step;
  const put = (destination: string, mount: Omit<ExpectedMount, 'destination' | 'configPath'>): void => {
    mounts.delete(destination);
    mounts.set(destination, { destination, configPath, ...mount });
  };
  const change = (destination: string, { set, clear }: AttributeChange): void => {
    const old = mounts.get(destination);
    if (old !== undefined) mounts.set(destination, { ...old, set: (old.set & ~clear) | set, clear: (old.clear & ~set) | clear });
  };
  switch (step.kind) {
    case 'mount': {
      const readOnly = (step.superFlags & MS_RDONLY) !== 0 ? MOUNT_ATTR_RDONLY : 0;
      const set = step.attributes.set | (step.recursiveAttributes?.set ?? 0);
      const clear = (set | readOnly) & MOUNT_ATTR_RDONLY ? step.attributes.clear : step.attributes.clear | MOUNT_ATTR_RDONLY;
      put(step.destination, { type: step.type, source: undefined, tree: false, set, clear, optional: false });
      break;
    }
    case 'bind': {
      const { set, clear } = step.attributes;
      const more = step.recursiveAttributes ?? { set: 0, clear: 0 };
      put(step.destination, {
        type: undefined,
        source: step.source,
        tree: step.recursive,
        set: set | more.set,
        clear: clear | more.clear,
        optional: false,
      });
      break;
    }
    case 'remount':
      change(step.destination, step.attributes);
      break;
    case 'readonly-root':
      change('/', { set: MOUNT_ATTR_RDONLY, clear: 0 });
      break;
    case 'readonly':
      put(step.path, { type: undefined, source: undefined, tree: true, set: MOUNT_ATTR_RDONLY, clear: 0, optional: true });
      break;
    case 'mask':
      put(step.path, { type: undefined, source: undefined, tree: false, set: 0, clear: 0, optional: true, masks: true });
      break;
    case 'device':
      if (step.bind)
        put(step.path, { type: undefined, source: step.hostPath ?? step.path, tree: false, set: 0, clear: 0, optional: false });
      break;
    case 'console':
      if (step.mount) put('/dev/console', { type: undefined, source: undefined, tree: false, set: 0, clear: 0, optional: false });
      break;
    default:
  }
}

const WORDS: readonly (readonly [number, string])[] = [
  [MOUNT_ATTR_RDONLY, 'ro'],
  [MOUNT_ATTR_NOSUID, 'nosuid'],
  [MOUNT_ATTR_NODEV, 'nodev'],
  [MOUNT_ATTR_NOEXEC, 'noexec'],
  [MOUNT_ATTR_NODIRATIME, 'nodiratime'],
  [MOUNT_ATTR_NOSYMFOLLOW, 'nosymfollow'],
];

/** Attributes in which a mount's options are not as expected: `ro`, `no nosuid`. */
export function wrongAttributes(
  { set, clear }: Pick<ExpectedMount, 'set' | 'clear'>,
  options: readonly string[],
): { readonly expected: string[]; readonly actual: string[] } {
  const expected: string[] = [];
  const actual: string[] = [];
  const words = (set & MOUNT_ATTR__ATIME) === MOUNT_ATTR_NOATIME ? [...WORDS, [MOUNT_ATTR_NOATIME, 'noatime'] as const] : WORDS;
  for (const [bit, word] of words) {
    const has = options.includes(word);
    const isWanted = (set & bit) !== 0;
    if (isWanted === has || (!isWanted && (clear & bit) === 0)) continue;
    expected.push(isWanted ? word : opposite(word));
    actual.push(isWanted ? opposite(word) : word);
  }
  return { expected, actual };
}

function opposite(word: string): string {
  if (word === 'ro') return 'rw';
  return word.replace(/^no/, '');
}
