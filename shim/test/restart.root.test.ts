/**
 * containerd killed at random moments while short-lived containers run: no end of a container is lost, none is told twice, nothing leaks. As many times as
 * TSRUN_RESTARTS says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtCommand, command, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { busyboxRequirement, Containerd, findContainerds, shimPath, sleep, until } from './containerd.ts';

const NEEDS = [rootUser, builtCommand('containerd-shim-tsrun-v2'), busyboxRequirement, command('nsenter'), command('unshare')];
const RESTARTS = Number(process.env['TSRUN_RESTARTS'] ?? 4);
const CONTAINERS = 2;
const MINUTE = 60_000;

/** Deaths between 0 and 400 ms after the last start of a container, which lives for 0 to 300 ms. */
const LONGEST_WAIT_MS = 400;
const LONGEST_LIFE_SECONDS = 0.3;

const [installed] = findContainerds();
if (installed === undefined) throw new Error('unreachable');

describeWith([...NEEDS, installed.requirement], 'containerd killed and restarted', () => {
  it(
    `${RESTARTS} times`,
    async () => {
      // Longer than a restart takes, so that most meet a shim that stays; not for ever, so that it can be seen to end.
      const containerd = new Containerd(installed, { environment: { TSRUN_SHIM_IDLE_SECONDS: '5' } });
      try {
        await containerd.start();
        const expected: string[] = [];
        const found: string[] = [];
        for (let round = 0; round < RESTARTS; round++) {
          const ids = await runSome(containerd, round);
          await sleep(Math.random() * LONGEST_WAIT_MS);
          await containerd.kill();
          await sleep(Math.random() * LONGEST_WAIT_MS);
          await containerd.start();
          for (const [id, status] of ids) {
            expected.push(`${id} ${status}`);
            found.push(`${id} ${await ended(containerd, id)}`);
          }
        }
        expect(found).toEqual(expected);
        await until(() => exits(containerd).length >= expected.length);
        expect(exits(containerd).length).toBe(expected.length);
        expect(await containerd.leftovers()).toEqual([]);
      } finally {
        await containerd.dispose();
      }
    },
    Math.max(3 * MINUTE, RESTARTS * 30_000),
  );
});

describeWith([...NEEDS, installed.requirement], 'a container that ends while neither containerd nor its shim is there', () => {
  it(
    'keeps its status, for `delete` and for the next shim',
    async () => {
      const containerd = new Containerd(installed);
      try {
        await containerd.start();
        const ids = [
          ['first', 5],
          ['second', 6],
        ] as const;
        for (const [id, status] of ids) {
          const script = `while [ ! -e /tmp/go ]; do sleep 0.05; done; exit ${status}`;
          expect(containerd.ctrRun(['-d', '--null-io'], id, '/bin/sh', '-c', script)).toMatchObject({ status: 0 });
        }
        const tasks = containerd.taskRecords();
        await containerd.kill();
        for (const pid of containerd.shims()) process.kill(pid, 'SIGKILL');
        writeFileSync(join(containerd.rootfs, 'tmp/go'), '');
        const states = () => tasks.map(({ processes: [init] }) => /\) (\w)/.exec(readFileSync(`/proc/${init?.pid}/stat`, 'utf8'))?.[1]);
        await until(() => states().join() === 'Z,Z');
        expect(states()).toEqual(['Z', 'Z']);
        const shim = (id: string, action: string) =>
          containerd.run([shimPath, '-namespace', 'default', '-address', containerd.address, '-id', id, action]);
        // DeleteResponse.exit_status
        expect(shim('first', 'delete')).toMatchObject({ status: 0, stdout: expect.stringContaining('\x10\x05') });
        expect(shim('second', 'start')).toMatchObject({ status: 0, stdout: expect.stringContaining('unix://') });
        await until(() => containerd.taskRecords()[0]?.processes[0]?.end !== undefined);
        expect(containerd.taskRecords()).toMatchObject([{ id: 'second', processes: [{ end: { status: 6 } }] }]);
        for (const pid of containerd.shims()) process.kill(pid, 'SIGTERM');
        await until(() => containerd.shims().length === 0);
        expect(shim('second', 'delete')).toMatchObject({ status: 0, stdout: expect.stringContaining('\x10\x06') });
        await until(() => containerd.processes().length === 0);
        expect(containerd.processes()).toEqual([]);
      } finally {
        await containerd.dispose();
      }
    },
    2 * MINUTE,
  );
});

/** Starts containers that end soon, each with a status of its own. Ids and statuses of those that were started. */
async function runSome(containerd: Containerd, round: number): Promise<[string, number][]> {
  const started: [string, number][] = [];
  for (let index = 0; index < CONTAINERS; index++) {
    const id = `r${round}-${index}`;
    const status = 1 + ((round * CONTAINERS + index) % 100);
    const life = (Math.random() * LONGEST_LIFE_SECONDS).toFixed(3);
    const { status: ctr } = containerd.ctrRun(['-d', '--null-io'], id, '/bin/sh', '-c', `sleep ${life}; exit ${status}`);
    if (ctr === 0) started.push([id, status]);
  }
  return started;
}

/** The status that containerd gives for a container, once it has ended, and its deletion. */
async function ended(containerd: Containerd, id: string): Promise<number | string> {
  const state = () => new RegExp(`^${id}\\s+\\d+\\s+(\\w+)`, 'm').exec(containerd.ctr('task', 'ls').stdout)?.[1];
  await until(() => state() === 'STOPPED');
  if (state() !== 'STOPPED') return `is ${state() ?? 'gone'}`;
  const { stderr } = containerd.ctr('task', 'delete', id);
  const status = Number(/exit code (\d+)/.exec(stderr)?.[1] ?? Number.NaN);
  containerd.ctr('container', 'rm', id);
  return Number.isNaN(status) ? stderr : status;
}

/** What all containerds together have taken, by their own log. */
function exits(containerd: Containerd): string[] {
  return containerd
    .log()
    .split('\n')
    .filter((line) => line.includes('event forwarded') && line.includes('topic=/tasks/exit'));
}
