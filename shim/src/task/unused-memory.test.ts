import { readFileSync } from 'node:fs';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { releaseMemory, unwrittenFileMappings } from './unused-memory.ts';

const fields = (anonymous: number) =>
  `Size:                 32 kB\nRss:                  16 kB\nAnonymous:            ${anonymous} kB\nVmFlags: rd ex mr mw me\n`;

it('takes mappings of files that nobody has written to', () => {
  const smaps =
    `55aa00000000-55aa00008000 r-xp 00001000 fe:01 7 /usr/bin/node\n${fields(0)}` +
    `55aa00008000-55aa0000a000 r--p 00009000 fe:01 7 /usr/bin/node\n${fields(8)}` +
    `55aa0000a000-55aa0000c000 rw-p 0000b000 fe:01 7 /usr/bin/node\n${fields(0)}` +
    `7f0000000000-7f0000001000 r--s 00000000 fe:01 8 /shared\n${fields(0)}` +
    `7f0000002000-7f0000004000 r--p 00000000 fe:01 9 /lib/a name\n${fields(0)}` +
    `7f0000004000-7f0000008000 r-xp 00000000 00:00 0 \n${fields(0)}` +
    `7f0000008000-7f000000a000 r-xp 00000000 00:00 0 [vdso]\n${fields(0)}`;
  expect(unwrittenFileMappings(smaps)).toEqual([
    { start: 0x55aa00000000, bytes: 0x8000 },
    { start: 0x7f0000002000, bytes: 0x2000 },
  ]);
});

it('lets go of the pages of this very program, which goes on', () => {
  const mapped = () => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const before = mapped();
  releaseMemory(createNodeSys());
  expect(mapped()).toBeLessThan(before);
});
