/** Duplicate address detection (RFC 4862, section 5.4): for a second or two the kernel does not use an address that it was given. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A line each: address, index, length, scope, flags, name (proc_net(5)); IFA_F_TENTATIVE of the flags. */
const ADDRESSES = '/proc/net/if_inet6';
const IFA_F_TENTATIVE = 0x40;
const LOOK_MS = 20;
/** The kernel's delay is a second at most, and so is its wait for an answer. */
const PATIENCE_MS = 5_000;

/**
 * Waits until an interface of this network namespace uses its IPv6 addresses: a connection that is begun before takes another source, ::1 for one, and
 * hangs for minutes. Goes on after some seconds in any case.
 */
export async function addressesSettled(interfaceName: string): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(LOOK_MS)) {
    if (!isAnyTentative(readFileSync(ADDRESSES, 'utf8'), interfaceName)) return;
  }
}

/** Exported for its test. */
export function isAnyTentative(addresses: string, interfaceName: string): boolean {
  return addresses.split('\n').some((line) => {
    const [, , , , flags = '0', name] = line.trim().split(/\s+/);
    return name === interfaceName && (Number.parseInt(flags, 16) & IFA_F_TENTATIVE) !== 0;
  });
}
