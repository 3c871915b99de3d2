/** What containerd writes to the standard input of `start`: BootstrapParams from 2.3 on, before that an Any with the runtime's options, or nothing. */
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { bufferOf, bytesOf, type Field, readFields } from '../base/wire.ts';

export interface BootstrapParams {
  /** It was containerd 2.3 or newer that wrote them: it speaks version 3 of the Task service. */
  readonly isNew: boolean;
  readonly ttrpcAddress?: string;
  readonly socketDirectory?: string;
}

const INSTANCE_ID = 1;
const NAMESPACE = 2;
const TTRPC_ADDRESS = 5;
const SOCKET_DIRECTORY = 9;

/**
 * The two messages can be read as each other; only in BootstrapParams the first two fields are the very id and namespace of the command line.
 * Bytes that are neither are options that somebody else will refuse, at create.
 */
export function parseParams(
  sys: Sys,
  bytes: Uint8Array,
  { id, namespace }: { readonly id: string; readonly namespace: string },
): BootstrapParams {
  const fields = fieldsOf(bytes);
  const text = (number: number): string | undefined => {
    const value = bytesOf(fields, number);
    return value === undefined ? undefined : sys.decode(bufferOf(value));
  };
  if (text(INSTANCE_ID) !== id || text(NAMESPACE) !== namespace) {
    return { isNew: false };
  }
  const ttrpcAddress = text(TTRPC_ADDRESS);
  const socketDirectory = text(SOCKET_DIRECTORY);
  return {
    isNew: true,
    ...(ttrpcAddress ? { ttrpcAddress } : {}),
    ...(socketDirectory ? { socketDirectory } : {}),
  };
}

function fieldsOf(bytes: Uint8Array): Field[] {
  try {
    return readFields(bytes);
  } catch (error) {
    if (error instanceof RangeError) {
      return [];
    }
    throw error;
  }
}
