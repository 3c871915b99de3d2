/** The capabilities of a container: docker's default set, `--cap-add` and `--cap-drop`. */

import { CAPABILITIES } from '../../../imagetool/src/image/bundle-config.ts';
import { CAPABILITY_NAMES } from '../../../specs/runtime/linux/capabilities.ts';
import { invalid } from './errors.ts';
import type { HostConfig } from './record.ts';

/** `known`: those of this kernel; a privileged container has no others. @throws ContainerError invalid for an unknown one */
export function capabilitiesOf(host: Pick<HostConfig, 'CapAdd' | 'CapDrop' | 'Privileged'>): string[] {
  const [added, dropped] = [host.CapAdd.map(nameOf), host.CapDrop.map(nameOf)];
  if (host.Privileged) return [...CAPABILITY_NAMES];
  const dropsAll = dropped.includes('ALL');
  const base = added.includes('ALL') ? CAPABILITY_NAMES : CAPABILITIES;
  // What is added by its name stays, also where all others are dropped.
  const kept = dropsAll && !added.includes('ALL') ? [] : base;
  const names = new Set([...kept, ...added.filter((name) => name !== 'ALL')]);
  return CAPABILITY_NAMES.filter((name) => names.has(name) && !dropped.includes(name));
}

function nameOf(text: string): string {
  const upper = text.toUpperCase();
  const name = upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (name !== 'ALL' && !(CAPABILITY_NAMES as readonly string[]).includes(name)) {
    throw invalid(`invalid capability: "${text}"`, 'capabilities(7) lists them.');
  }
  return name;
}
