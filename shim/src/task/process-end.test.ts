import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { processStat } from '../../../runtime/src/linux/processes.ts';
import { lazyAgentImage } from '../../../runtime/src/operations/context/context.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { AgentPoller } from './agent-poller.ts';
import { endOfWaitStatus, type ProcessEnd, WatchedProcess } from './process-end.ts';

const sys = createNodeSys();

describe('WatchedProcess', () => {
  const poller = new AgentPoller(sys, lazyAgentImage(sys));
  let child: ChildProcess | undefined;

  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => poller.close());

  /** A shell that starts something in the background and says its pid: not our child. */
  const grandchild = async (script: string): Promise<number> => {
    child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = child;
    if (stdout === null) throw new Error('no output');
    return new Promise((resolve) => stdout.once('data', (text: Buffer) => resolve(Number(text.toString()))));
  };
  const endOf = (pid: number): Promise<ProcessEnd> =>
    new Promise((resolve, reject) => {
      const startTime = processStat(sys, pid)?.startTime ?? 0;
      const watched = WatchedProcess.watch(sys, poller, { pid, startTime }, (end) => {
        watched?.close();
        resolve(end);
      });
      if (watched === undefined) reject(new Error('there is no such process'));
    });

  it('knows the end of a process that nobody has buried', async () => {
    const pid = await grandchild('(sleep 0.2; exit 7) & echo $!; exec sleep 100');
    expect(await endOf(pid)).toMatchObject({ status: 7, signal: undefined });
  });

  it('knows the signal that ended it', async () => {
    const pid = await grandchild('sleep 100 & echo $!; exec sleep 100');
    const ended = endOf(pid);
    process.kill(pid, 'SIGTERM');
    expect(await ended).toMatchObject({ status: 143, signal: 15 });
  });

  it('knows the end of one that its parent buries at once, or says that it does not', async () => {
    const pid = await grandchild('(sleep 0.2; exit 7) & echo $!; wait; exec sleep 100');
    const { status, unknown } = await endOf(pid);
    // Linux 6.15 tells afterwards, too.
    expect([
      [7, undefined],
      [255, true],
    ]).toContainEqual([status, unknown]);
  });

  it('does not take another process for the one that was', async () => {
    expect(WatchedProcess.watch(sys, poller, { pid: process.pid, startTime: 1 }, () => undefined)).toBeUndefined();
  });

  it('goes on when the agent that waits is killed', async () => {
    const agents = () => spawnedAgents().length;
    const before = agents();
    for (const pid of spawnedAgents()) process.kill(pid, 'SIGKILL');
    const pid = await grandchild('(sleep 0.3; exit 3) & echo $!; exec sleep 100');
    expect(await endOf(pid)).toMatchObject({ status: 3 });
    expect(agents()).toBe(before);
  });

  function spawnedAgents(): number[] {
    return readdirSync('/proc/self/task')
      .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' '))
      .map(Number)
      .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('tsrun-init'));
  }
});

describe('endOfWaitStatus', () => {
  it.each([
    [0, 0, undefined],
    [0x0700, 7, undefined],
    [9, 137, 9],
    [0x8b, 139, 11],
  ])('%p is %p', (waitStatus, status, signal) => {
    expect(endOfWaitStatus(waitStatus, 1n)).toEqual({ status, signal, at: 1n });
  });
});
