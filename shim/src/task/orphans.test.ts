import { readFileSync } from 'node:fs';
import { tryCall } from '../../../runtime/src/linux/call.ts';
import { open } from '../../../runtime/src/linux/files.ts';
import { spawn } from '../../../runtime/src/linux/spawn.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { OrphanReaper } from './orphans.ts';

describe('OrphanReaper', () => {
  const sys = createNodeSys();

  it('reaps a child that nobody waits for, some time after its end', async () => {
    const nothing = open(sys, '/dev/null');
    const pid = spawn(sys, { path: '/bin/true', argv: ['true'], environ: [], fds: [[nothing, 0]] });
    const isThere = () => tryCall(sys, 'kill', pid, 0) === 0;
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await new Promise((resolve) => setTimeout(resolve, 5));
    const reaper = new OrphanReaper(sys, undefined, { lookMs: 20, deadMs: 60 });
    try {
      for (let attempt = 0; attempt < 200 && isThere(); attempt++) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(isThere()).toBe(false);
    } finally {
      reaper.close();
    }
  });
});
