import { close, open, readAll } from '../../linux/files.ts';
import { update } from '../../operations/update.ts';
import type { Sys } from '../../sys/sys.ts';
import { defineCommand } from '../command.ts';
import { lightContext } from '../context.ts';
import { rdtFromFlags, resourcesFromFlags, resourcesFromText, UPDATE_FLAGS } from '../update-flags.ts';

const STDIN = 0;

/** `-` is standard input: containerd and cri-o send the limits there. */
function readText(sys: Sys, path: string): string {
  if (path === '-') return sys.decode(readAll(sys, STDIN, 'standard input'));
  const fd = open(sys, path);
  try {
    return sys.decode(readAll(sys, fd, path));
  } finally {
    close(sys, fd);
  }
}

export const updateCommand = defineCommand({
  name: 'update',
  flags: UPDATE_FLAGS,
  operands: [1, 1],
  run: (invocation) => {
    const { flags, operands, sys } = invocation;
    const change = flags.resources === undefined ? resourcesFromFlags(flags) : resourcesFromText(readText(sys, flags.resources));
    update(lightContext(invocation), operands[0] ?? '', change, rdtFromFlags(flags));
    return 0;
  },
});
