import { type Config, SPEC_VERSION } from '../../../../specs/runtime/config.ts';
import type { Rule } from './rule.ts';

const REFERENCE = 'config.md#specification-version';

/** https://semver.org: three numbers without leading zeros, a pre-release after `-`, build data after `+`. */
const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const SUPPORTED_MINOR = Number(SPEC_VERSION.split('.')[1]);

export const versionErrors: readonly Rule<Config>[] = [
  {
    id: 'oci-version',
    reference: REFERENCE,
    check({ ociVersion }, report) {
      const match = SEMVER.exec(ociVersion);
      if (match === null) return report('ociVersion', ociVersion, 'must be a version in SemVer format');
      const [, major, minor, patch, preRelease] = match;
      const isBeforeFirst = major === '0' || (major === '1' && minor === '0' && patch === '0' && preRelease !== undefined);
      if (isBeforeFirst) report('ociVersion', ociVersion, 'must be at least 1.0.0');
      else if (major !== '1') report('ociVersion', ociVersion, 'must have the major version 1');
    },
  },
];

export const versionWarnings: readonly Rule<Config>[] = [
  {
    id: 'oci-version-newer',
    reference: REFERENCE,
    check({ ociVersion }, report) {
      const minor = Number(SEMVER.exec(ociVersion)?.[2] ?? 0);
      if (minor > SUPPORTED_MINOR) report('ociVersion', ociVersion, `is newer than ${SPEC_VERSION}: what it added is not known here`);
    },
  },
];
