import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POLLIN } from '../../../runtime/src/linux/poll.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { MemoryWatch } from './memory-watch.ts';

describe('MemoryWatch', () => {
  // Files like a cgroup's: inotify tells of their changes as well.
  const cgroup = mkdtempSync(join(tmpdir(), 'tsrun-memory-'));
  const kills = (count: number) => writeFileSync(join(cgroup, 'memory.events'), `low 0\noom ${count}\noom_kill ${count}\n`);
  const sys = createNodeSys();
  afterAll(() => rmSync(cgroup, { recursive: true }));

  it('tells of every kill once, by an event or when asked', () => {
    writeFileSync(join(cgroup, 'cgroup.events'), 'populated 1\nfrozen 0\n');
    kills(3);
    let ready: (events: number) => void = () => undefined;
    let closed = false;
    const poller = {
      watch: (_: number, events: number, then: (happened: number) => void) => {
        expect(events).toBe(POLLIN);
        ready = then;
        return {
          want: () => undefined,
          close: () => {
            closed = true;
          },
        };
      },
    };
    let told = 0;
    const watch = MemoryWatch.open(sys, poller, cgroup, () => told++);
    expect(watch?.look()).toBe(false);
    kills(5);
    ready(POLLIN);
    expect(told).toBe(2);
    expect(watch?.look()).toBe(true);
    expect(told).toBe(2);
    watch?.close();
    expect(closed).toBe(true);
  });

  it('is none without a memory controller', () => {
    expect(
      MemoryWatch.open(sys, { watch: () => ({ want: () => undefined, close: () => undefined }) }, '/none', () => undefined),
    ).toBeUndefined();
  });
});
