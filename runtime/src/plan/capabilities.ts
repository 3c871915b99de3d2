/** Capability sets as masks (config.md, "capabilities"; capabilities(7)). */
import { CAPABILITY_NAMES, CAPABILITY_SETS, type Capabilities, type CapabilitySet } from '../../../specs/runtime/linux/capabilities.ts';
import type { HostFacts } from './host-facts.ts';
import type { CapabilityMasks } from './steps.ts';

export const CAP_SYS_ADMIN = 21n;

export interface CapabilityPlan {
  readonly masks: CapabilityMasks;
  /** What cannot be granted, and is left out: the specification asks for a warning, not for a failure. */
  readonly warnings: readonly string[];
}

/** The number of a capability by its name, with or without CAP_ and in any case; undefined for an unknown one. */
export function capabilityNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  const index = (CAPABILITY_NAMES as readonly string[]).indexOf(upper.startsWith('CAP_') ? upper : `CAP_${upper}`);
  return index < 0 ? undefined : index;
}

/**
 * @param grantable whether the container's user namespace is a new one: there every capability can be had.
 */
export function planCapabilities(capabilities: Capabilities, host: HostFacts, newUserNamespace: boolean): CapabilityPlan {
  const known = (1n << BigInt(host.lastCapability + 1)) - 1n;
  const grantable = newUserNamespace ? known : host.permittedCapabilities & known;
  const refused = new Set<string>();
  const mask = (set: CapabilitySet): bigint => {
    let bits = 0n;
    for (const name of capabilities[set] ?? []) {
      const number = capabilityNumber(name);
      const bit = number === undefined ? 0n : 1n << BigInt(number);
      if ((bit & grantable) === 0n) refused.add(name);
      else bits |= bit;
    }
    return bits;
  };
  const [bounding, effective, inheritable, permitted, ambient] = CAPABILITY_SETS.map(mask);
  const masks = {
    bounding: bounding ?? 0n,
    // The kernel refuses effective capabilities that are not permitted, and ambient ones that are not permitted and inheritable.
    effective: (effective ?? 0n) & (permitted ?? 0n),
    permitted: permitted ?? 0n,
    inheritable: inheritable ?? 0n,
    ambient: (ambient ?? 0n) & (permitted ?? 0n) & (inheritable ?? 0n),
    last: host.lastCapability,
  };
  const warnings = refused.size === 0 ? [] : [`process.capabilities: ${[...refused].join(', ')} cannot be granted here and are left out`];
  return { masks, warnings };
}
