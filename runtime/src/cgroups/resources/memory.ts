import type { Memory } from '../../../../specs/runtime/linux/resources.ts';
import { limitText, type ResourceWarning, type ResourceWrite, resourceError } from './write.ts';

const AT = 'linux.resources.memory';

/**
 * memory.max, memory.low and memory.swap.max. A limit of 0 means "not set", as in every runtime. `swap` is memory plus swap, cgroup v2 wants
 * swap alone.
 */
export function memoryWrites(memory: Memory): ResourceWrite[] {
  const writes: ResourceWrite[] = [];
  const swap = swapText(memory);
  if (swap !== undefined) {
    // Without swap accounting there is no file; then nothing is swapped on the container's account, or nothing is limited.
    const optional = swap === 'max' || swap === '0';
    const configPath = memory.swap === undefined ? `${AT}.limit` : `${AT}.swap`;
    writes.push({ controller: 'memory', file: 'memory.swap.max', value: swap, configPath, ...(optional ? { optional } : {}) });
  }
  if (isSet(memory.limit)) writes.push(limitWrite('memory.max', limitText(memory.limit, `${AT}.limit`), `${AT}.limit`));
  if (isSet(memory.reservation)) {
    writes.push(limitWrite('memory.low', limitText(memory.reservation, `${AT}.reservation`), `${AT}.reservation`));
  }
  return writes;
}

function limitWrite(file: string, value: string, configPath: string): ResourceWrite {
  // No limit is what there is without the controller. memory.low is a protection: there `max` asks for something.
  const optional = value === 'max' && file === 'memory.max';
  return { controller: 'memory', file, value, configPath, ...(optional ? { optional } : {}) };
}

function isSet(value: number | bigint | undefined): value is number | bigint {
  return value !== undefined && BigInt(value) !== 0n;
}

/** Undefined where memory.swap.max stays as it is. */
function swapText(memory: Memory): string | undefined {
  const limit = BigInt(memory.limit ?? 0);
  const swap = BigInt(memory.swap ?? 0);
  const configPath = `${AT}.swap`;
  if (swap === 0n) return limit === -1n ? 'max' : undefined;
  if (swap < 0n || limit === -1n) return limitText(swap, configPath);
  if (limit === 0n) {
    throw resourceError(configPath, 'unable to set swap limit without memory limit', 'set linux.resources.memory.limit too');
  }
  if (swap < limit) throw resourceError(configPath, `memory+swap limit (${swap}) should be >= memory limit (${limit})`);
  return String(swap - limit);
}

/** `kernel` and `kernelTCP` have their warning from the schema, where they are deprecated. */
export function memoryWarnings(memory: Memory): ResourceWarning[] {
  const ignored: [unknown, string, string][] = [
    [memory.swappiness, 'swappiness', 'cgroup v2 has no swappiness of its own for a cgroup'],
    [memory.disableOOMKiller || undefined, 'disableOOMKiller', 'the OOM killer cannot be disabled in cgroup v2'],
    [memory.useHierarchy === false || undefined, 'useHierarchy', 'cgroup v2 is always hierarchical'],
  ];
  return ignored
    .filter(([value]) => value !== undefined)
    .map(([, name, why]) => ({ configPath: `${AT}.${name}`, message: `${AT}.${name} is ignored: ${why}` }));
}
