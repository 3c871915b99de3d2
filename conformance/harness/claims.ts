import { Features, type LinuxFeatures } from '../../specs/runtime/features.ts';
import { validate } from '../../specs/schema/validate.ts';
import type { Runtime } from './runtime.ts';

/**
 * For optional parts of the specification: what `Details.requires` takes. A runtime whose features do not say that it has the part is not
 * tested for it; one without a features command is.
 */
export function claims(what: string, pick: (linux: LinuxFeatures) => boolean | undefined): (runtime: Runtime) => string | undefined {
  return ({ features }) => {
    if (features === undefined) return undefined;
    const checked = validate(Features, structuredClone(features));
    return checked.valid && pick(checked.value.linux ?? {}) === true ? undefined : `the features of the runtime do not name ${what}`;
  };
}
