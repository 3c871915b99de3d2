/** 64-bit fields: protobufjs takes and gives numbers or objects of two halves; BigInt is what the rest of this code has for them. */
import protobuf from 'protobufjs/minimal.js';

/** What cgroups files call `max`. */
export const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

/** What an `int64` or `uint64` field takes; no bit is lost. */
export function field64(value: bigint): protobuf.Long {
  return new protobuf.util.LongBits(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n))).toLong(true);
}

/** `value` is as decoded: protobufjs knows for every field whether it has a sign. */
export function bigintOf(value: number | protobuf.Long): bigint {
  if (typeof value === 'number') {
    return BigInt(value);
  }
  const bits = (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
  return value.unsigned ? bits : BigInt.asIntN(64, bits);
}
