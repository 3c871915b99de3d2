/** `-info`: a containerd.types.RuntimeInfo on standard output, with the options that came on standard input. */
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { COMMIT, RUNTIME_NAME, VERSION } from '../base/version.ts';
import { bytesField, concat } from '../base/wire.ts';
import { featuresJson } from '../task/runtime-features.ts';

const FEATURES_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features';

/** @param options an encoded google.protobuf.Any, or nothing */
export function runtimeInfo(sys: Sys, options: Uint8Array): Uint8Array {
  const text = (number: number, value: string): Uint8Array => bytesField(number, sys.encode(value));
  return concat([
    text(1, RUNTIME_NAME),
    bytesField(2, concat([text(1, VERSION), text(2, COMMIT)])),
    bytesField(3, options),
    bytesField(4, concat([text(1, FEATURES_TYPE), text(2, featuresJson(sys))])),
  ]);
}
