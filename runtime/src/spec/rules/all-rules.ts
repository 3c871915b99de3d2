/** Every rule, in the order in which problems are told. */

import type { Config } from '../../../../specs/runtime/config.ts';
import type { Process } from '../../../../specs/runtime/process.ts';
import { annotationErrors } from './annotations.ts';
import { capabilityErrors, capabilityWarnings } from './capabilities.ts';
import { deviceErrors, deviceWarnings } from './devices.ts';
import { hookErrors } from './hooks.ts';
import { idMappingErrors, idMappingWarnings } from './id-mappings.ts';
import { mountErrors, mountWarnings } from './mounts.ts';
import { namespaceErrors } from './namespaces.ts';
import { netDeviceErrors } from './net-devices.ts';
import { placementErrors, placementWarnings } from './placement.ts';
import { processErrors, processWarnings } from './process.ts';
import { cgroupErrors } from './resources.ts';
import { rlimitErrors } from './rlimits.ts';
import { rootErrors, rootWarnings } from './root.ts';
import type { Rule } from './rule.ts';
import { schedulingErrors } from './scheduling.ts';
import { seccompErrors } from './seccomp.ts';
import { sysctlErrors } from './sysctl.ts';
import { utsErrors } from './uts.ts';
import { versionErrors, versionWarnings } from './version.ts';

/** For the whole configuration; those of its process and of its limits come in addition. */
export const CONFIG_ERRORS: readonly Rule<Config>[] = [
  ...versionErrors,
  ...rootErrors,
  ...utsErrors,
  ...mountErrors,
  ...hookErrors,
  ...annotationErrors,
  ...namespaceErrors,
  ...idMappingErrors,
  ...deviceErrors,
  ...netDeviceErrors,
  ...sysctlErrors,
  ...cgroupErrors,
  ...seccompErrors,
  ...placementErrors,
];

export const CONFIG_WARNINGS: readonly Rule<Config>[] = [
  ...versionWarnings,
  ...rootWarnings,
  ...mountWarnings,
  ...idMappingWarnings,
  ...deviceWarnings,
  ...placementWarnings,
];

/** For a process, be it the container's or one to execute. */
export const PROCESS_ERRORS: readonly Rule<Process>[] = [...processErrors, ...rlimitErrors, ...capabilityErrors, ...schedulingErrors];

export const PROCESS_WARNINGS: readonly Rule<Process>[] = [...processWarnings, ...capabilityWarnings];
