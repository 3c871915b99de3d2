import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { close, open } from '../../../runtime/src/linux/files.ts';
import { O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { buryChildren, childrenOf, deadChildren, keepersIn, startUnderKeeper } from './keeper.ts';
import { waitStatusOfZombie } from './zombie.ts';

describeWith([rootUser], 'a keeper', () => {
  const sys = createNodeSys();
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsrun-keeper-'));
  });
  afterEach(() => {
    for (const { pid } of keepersIn(sys, directory)) for (const one of [...childrenOf(sys, pid), pid]) process.kill(one, 'SIGKILL');
    rmSync(directory, { recursive: true });
  });

  const start = (path: string, ...words: string[]): number => {
    const nothing = open(sys, '/dev/null', { flags: O_RDWR });
    try {
      const fds = [0, 1, 2, 3].map((fd) => [nothing, fd] as const);
      return startUnderKeeper(sys, directory, { path, argv: [path, ...words], environ: ['A=b'], fds, cwd: '/' });
    } finally {
      close(sys, nothing);
    }
  };
  const until = async (condition: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise((done) => setTimeout(done, 10));
    expect(condition()).toBe(true);
  };

  it('starts a program as its child, in a session of its own, with the descriptors named and no signal blocked', async () => {
    const pid = start('/bin/sleep', '1000');
    const [keeper] = keepersIn(sys, directory);
    expect(keeper).toMatchObject({ served: pid });
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^PPid:\\s+${keeper?.pid}$`, 'm'));
    expect(status).toMatch(/^SigBlk:\s+0+$/m);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toBe('/bin/sleep\x001000\0');
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('A=b\0');
    // Its loader may have one open.
    await until(() => readdirSync(`/proc/${pid}/fd`).join() === '0,1,2,3');
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[5]).toBe(String(pid));
  });

  it('ends with the program, when nothing is left', async () => {
    start('/bin/true');
    await until(() => keepersIn(sys, directory).length === 0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('keeps the ends of those that the program leaves, until they are buried', async () => {
    start('/bin/sh', '-c', '(sleep 0.2; exit 7) & (sleep 0.1; exit 8) & kill -9 $$');
    const [keeper = { pid: 0, served: 0 }] = keepersIn(sys, directory);
    await until(() => deadChildren(sys, keeper.pid).length === 2);
    const ends = deadChildren(sys, keeper.pid).map((pid) => {
      const startTime = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);
      return { pid, status: (waitStatusOfZombie(sys, pid, startTime) ?? 0) >> 8 };
    });
    expect(ends.map(({ status }) => status).sort()).toEqual([7, 8]);
    buryChildren(sys, directory, keeper, [ends[0]?.pid ?? 0]);
    await until(() => deadChildren(sys, keeper.pid).length === 1);
    buryChildren(sys, directory, keeper, [ends[1]?.pid ?? 0]);
    await until(() => keepersIn(sys, directory).length === 0);
  });

  it('says that a program cannot be executed, and is gone', () => {
    expect(() => start('/nonexistent')).toThrow(/execve.*\/nonexistent|\/nonexistent.*no such file/i);
    expect(readdirSync(directory)).toEqual([]);
  });
});
