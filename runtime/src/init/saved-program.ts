/** A program kept as bytes, to be sent by another process later: what `create` leaves for `start`. */
import type { Sys } from '../sys/sys.ts';
import { encodeProgram } from './encode.ts';
import type { Operation, Program } from './program.ts';

const HEADER_BYTES = 8;

export interface SavedProgram {
  readonly message: ArrayBuffer;
  readonly replyBytes: number;
  /** What is known of each operation: enough to explain its failure. */
  readonly operations: readonly Operation[];
}

/** [label table's length u32][reply's length u32][label table, JSON][message] */
export function saveProgram(sys: Sys, program: Program): ArrayBuffer {
  const { message, replyBytes } = encodeProgram(sys, program);
  const operations = program.operations.map(({ call, args, ignoredErrno, label, flags }) => {
    const object = label.object ?? args.find((argument) => typeof argument === 'string');
    return { call, args: [], flags, ignoredErrno, jump: 0, label: object === undefined ? label : { ...label, object } };
  });
  const labels = new Uint8Array(sys.encode(JSON.stringify(operations)));
  const saved = new Uint8Array(HEADER_BYTES + labels.length + message.byteLength);
  new DataView(saved.buffer).setUint32(0, labels.length, true);
  new DataView(saved.buffer).setUint32(4, replyBytes, true);
  saved.set(labels, HEADER_BYTES);
  saved.set(new Uint8Array(message), HEADER_BYTES + labels.length);
  return saved.buffer;
}

export function loadProgram(sys: Sys, saved: ArrayBuffer): SavedProgram {
  const view = new DataView(saved);
  const labelBytes = view.getUint32(0, true);
  const operations: Operation[] = JSON.parse(sys.decode(saved, HEADER_BYTES, labelBytes));
  return { message: saved.slice(HEADER_BYTES + labelBytes), replyBytes: view.getUint32(4, true), operations };
}
