import type { BlockIO, ThrottleDevice } from '../../../../specs/runtime/linux/block-io.ts';
import { blkioToIoWeight } from './convert.ts';
import { type ResourceWarning, type ResourceWrite, resourceError } from './write.ts';

const AT = 'linux.resources.blockIO';
const MIN_WEIGHT = 10;
const MAX_WEIGHT = 1000;

/** Weights go to the BFQ scheduler where the kernel has it, else, converted, to io.weight. Throttles go to io.max, one limit a write. */
export function ioWrites(io: BlockIO): ResourceWrite[] {
  const writes: ResourceWrite[] = [];
  if (io.weight !== undefined && io.weight !== 0) writes.push(weightWrite('', io.weight, `${AT}.weight`));
  io.weightDevice?.forEach((device, index) => {
    if (device.weight === undefined || device.weight === 0) return;
    writes.push(weightWrite(`${device.major}:${device.minor} `, device.weight, `${AT}.weightDevice[${index}].weight`));
  });
  return [
    ...writes,
    ...throttleWrites(io.throttleReadBpsDevice, 'rbps', 'throttleReadBpsDevice'),
    ...throttleWrites(io.throttleWriteBpsDevice, 'wbps', 'throttleWriteBpsDevice'),
    ...throttleWrites(io.throttleReadIOPSDevice, 'riops', 'throttleReadIOPSDevice'),
    ...throttleWrites(io.throttleWriteIOPSDevice, 'wiops', 'throttleWriteIOPSDevice'),
  ];
}

function weightWrite(prefix: string, weight: number, configPath: string): ResourceWrite {
  if (weight < MIN_WEIGHT || weight > MAX_WEIGHT) {
    throw resourceError(configPath, `weight ${weight} is not between ${MIN_WEIGHT} and ${MAX_WEIGHT}`);
  }
  return {
    controller: 'io',
    file: 'io.bfq.weight',
    value: `${prefix}${weight}`,
    configPath,
    instead: { file: 'io.weight', value: `${prefix}${blkioToIoWeight(weight)}` },
  };
}

function throttleWrites(devices: readonly ThrottleDevice[] | undefined, key: string, property: string): ResourceWrite[] {
  return (devices ?? []).map((device, index) => ({
    controller: 'io',
    file: 'io.max',
    // A rate of 0 took a limit away in cgroup v1; cgroup v2 refuses the number.
    value: `${device.major}:${device.minor} ${key}=${BigInt(device.rate) === 0n ? 'max' : device.rate}`,
    configPath: `${AT}.${property}[${index}].rate`,
  }));
}

export function ioWarnings(io: BlockIO): ResourceWarning[] {
  const paths = io.leafWeight === undefined || io.leafWeight === 0 ? [] : [`${AT}.leafWeight`];
  io.weightDevice?.forEach((device, index) => {
    if (device.leafWeight !== undefined && device.leafWeight !== 0) paths.push(`${AT}.weightDevice[${index}].leafWeight`);
  });
  return paths.map((configPath) => ({ configPath, message: `${configPath} is ignored: cgroup v2 has no leaf weights` }));
}
