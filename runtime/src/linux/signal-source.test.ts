import { createNodeSys } from '../sys/node.ts';
import { POLLIN, poll } from './poll.ts';
import { openSignalSource } from './signal-source.ts';

const sys = createNodeSys();
const USR1 = 10;
const USR2 = 12;

describe('openSignalSource', () => {
  it('receives signals in a process with threads, which die of none of them, and gives them back', () => {
    const source = openSignalSource(sys);
    const seen: number[] = [];
    try {
      for (let round = 0; round < 50; round++) {
        process.kill(process.pid, USR1);
        process.kill(process.pid, USR2);
      }
      while (seen.filter((signal) => signal === USR1).length === 0 || seen.filter((signal) => signal === USR2).length === 0) {
        expect(poll(sys, [{ fd: source.fd, events: POLLIN }], 5000)).toEqual([POLLIN]);
        seen.push(...source.read());
      }
      expect(source.read()).toEqual(expect.any(Array));
    } finally {
      source.close();
    }
    expect([...new Set(seen)].sort()).toEqual([USR1, USR2]);
  });

  it('has nothing to read when nothing came', () => {
    const source = openSignalSource(sys);
    expect(source.read().filter((signal) => signal === USR1)).toEqual([]);
    source.close();
  });
});
