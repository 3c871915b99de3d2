import type { Config } from '../../../specs/runtime/config.ts';
import { CAPABILITY_SETS, type Capabilities, type CapabilityName, type CapabilitySet } from '../../../specs/runtime/linux/capabilities.ts';
import type { Linux } from '../../../specs/runtime/linux/linux.ts';
import type { Process } from '../../../specs/runtime/process.ts';
import { isCapability } from './rules/capabilities.ts';
import type { ValidCapabilities, ValidConfig, ValidProcess } from './valid.ts';

/** Permission bits with setuid, setgid and sticky. */
const MODE_BITS = 0o7777;

/** Brings a configuration that has passed all rules into the form that everything after relies on. */
export function normalizeConfig(config: Config): ValidConfig {
  const { process, linux } = config;
  return {
    ...config,
    ...(process !== undefined && { process: normalizeProcess(process) }),
    ...(linux !== undefined && { linux: normalizeLinux(linux) }),
  } as ValidConfig;
}

/** A user that is not said to be anyone is root, as with every other runtime; capabilities that nobody knows are left out. */
export function normalizeProcess(process: Process): ValidProcess {
  const { user, capabilities } = process;
  return {
    ...process,
    user: { ...user, uid: user?.uid ?? 0, gid: user?.gid ?? 0 },
    ...(capabilities !== undefined && { capabilities: keepKnown(capabilities) }),
  } as ValidProcess;
}

function keepKnown(capabilities: Capabilities): ValidCapabilities {
  const known: { [Set in CapabilitySet]?: readonly CapabilityName[] } = {};
  for (const set of CAPABILITY_SETS) {
    const names = capabilities[set];
    if (names !== undefined) known[set] = names.filter((name): name is CapabilityName => isCapability(name));
  }
  return known;
}

/** Docker and containerd copy the whole `st_mode` of the host's node into `fileMode`. */
function normalizeLinux(linux: Linux): Linux {
  if (linux.devices === undefined) return linux;
  const devices = linux.devices.map((device) =>
    device.fileMode === undefined ? device : { ...device, fileMode: device.fileMode & MODE_BITS },
  );
  return { ...linux, devices };
}
