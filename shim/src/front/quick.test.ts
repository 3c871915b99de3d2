/** The native front beside the Node command: the same output, without Node where it can be done without. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { itWith } from '../../../.scripts/jest/requirement.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { beginContainer, claimName, nodeContainerReader, writeRecord, writeState } from '../container/containers.ts';
import { placesAt } from '../container/places.ts';
import { processStartTime } from '../container/processes.ts';
import { type ContainerState, NEW_STATE } from '../container/record.ts';
import { recordOf } from '../container/test/record.ts';
import { parseArguments } from './cli/flags.ts';
import { findCommand } from './grammar/commands.ts';
import { containerLines } from './listing/container-list.ts';
import { quickAnswer } from './quick.ts';

const dist = resolve(__dirname, '../../../dist');
const front = join(dist, 'bin/tsctl');
const native = { what: 'native engine (npm run build)', met: existsSync(join(dist, '.build/native/tsctl/image')) };
/** KiB of address space in which the front works and Node does not start. */
const TOO_SMALL_FOR_NODE = 300_000;

const sys = createNodeSys();
const root = mkdtempSync(join(tmpdir(), 'tsctl-quick-'));
const places = placesAt(root);
const quick = (...argv: string[]) => quickAnswer({ ...sys, argv: ['tsctl', '--root', root, ...argv], environ: [] });

/** Years ago, so that how long ago it was is the same for two who look one after the other. */
function make(id: string, name: string, state: Partial<ContainerState>): void {
  beginContainer(places, id);
  claimName(places, name, id);
  const plain = recordOf();
  const Config = {
    ...plain.Config,
    Cmd: ['sh', '-c', `echo "grüße $HOME" && sleep 1000`],
    Labels: { b: 'ä', a: '1' },
    ExposedPorts: { '443/tcp': {} },
  };
  writeRecord(places, { ...plain, Id: id, Name: name, Created: `20${id.slice(0, 2)}-03-04T05:06:07.123456789Z`, Config });
  writeState(places, id, { ...NEW_STATE, ...state });
}

const running = {
  status: 'running',
  pid: process.pid,
  pidStartTime: processStartTime(process.pid) ?? '',
  startedAt: '2001-02-03T04:05:06.987654321Z',
} as const;

beforeAll(() => {
  make('12'.padEnd(64, 'a'), 'old', {
    status: 'exited',
    exitCode: 137,
    startedAt: '2012-03-04T05:06:07Z',
    finishedAt: '2012-03-04T05:06:08.000000001Z',
  });
  make('13'.padEnd(64, 'b'), 'web', {
    ...running,
    ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
    },
  });
  make('14'.padEnd(64, 'c'), 'gone', { ...running, pidStartTime: '1' });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LINES = [
  ['ps'],
  ['ps', '-a', '--no-trunc'],
  ['ps', '-aq'],
  ['ps', '-n', '2', '--filter', 'label=b=ä', '-f', 'since=old'],
  ['container', 'ls', '-a', '--format', 'table {{.Names}}\t{{.Status}}\t{{.Labels}}'],
  ['ps', '-a', '--format', 'json'],
  ['ps', '-a', '--format', '{{json .}} {{truncate .Command 9}} {{printf "%-9s|%q" .Names .Image}}'],
  ['port', 'web'],
  ['port', 'web', '80'],
  ['inspect', 'web', '14'],
  ['inspect', '-f', '{{.State.Status}} {{json .NetworkSettings.Ports}} {{.Config.Labels}}', 'web', 'old'],
  ['container', 'inspect', '-f', 'json', 'gone'],
  ['--version'],
];

describe('the quick answer', () => {
  it('is that of the command', () => {
    const found = findCommand(['ps', '-a']);
    const args = found === undefined ? undefined : parseArguments(found.grammar, found.rest);
    const lines = args && containerLines(args, { places, reader: nodeContainerReader, nowMs: Date.now(), sizeOf: () => undefined });
    expect(lines).toHaveLength(4);
    expect(quick('ps', '-a')).toBe(`${lines?.join('\n')}\n`);
    expect(quick('ps', '-a', '--format', '{{.Names}}: {{.State}}')).toBe('gone: exited\nweb: running\nold: exited\n');
  });

  it('leaves everything else to Node', () => {
    const left = [
      [],
      ['help'],
      ['ps', '--help'],
      ['ps', '-s'],
      ['logs', 'web'],
      ['nonsense'],
      ['inspect', '-s', 'web'],
      ['inspect', '--type', 'image', 'web'],
    ];
    expect(left.map((words) => quick(...words))).toEqual(left.map(() => undefined));
    expect(() => quick('ps', '--nonsense')).toThrow(/nonsense/);
    expect(() => quick('inspect', 'web', 'nobody')).toThrow(/nobody/);
  });

  it('has no containers where there is no data root', () => {
    expect(quickAnswer({ ...sys, argv: ['tsctl', 'ps', '-aq'], environ: [`TSCTL_ROOT=${root}/nothing`] })).toBe('');
  });
});

describe('the native front', () => {
  const run = (path: string, words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(path, words, { encoding: 'utf8', env: {} });
    return { status, stdout, stderr };
  };
  const withoutNode = (...words: string[]) =>
    run('/bin/sh', ['-c', `ulimit -c 0; ulimit -v ${TOO_SMALL_FOR_NODE}; exec "$0" "$@"`, front, ...words]);

  itWith([native], 'says what Node says, byte for byte, and needs no Node', () => {
    for (const words of LINES) {
      const line = ['--root', root, ...words];
      const byNode = run(process.execPath, ['--no-warnings', join(dist, 'tsctl.cjs'), ...line]);
      expect(byNode).toMatchObject({ status: 0, stderr: '' });
      expect(withoutNode(...line)).toEqual(byNode);
    }
  });

  itWith([native], 'becomes Node for the rest', () => {
    expect(withoutNode('help').status).not.toBe(0);
    expect(run(front, ['--root', root, 'inspect', 'nobody'])).toEqual({
      status: 1,
      stdout: '[]\n',
      stderr: 'error: no such object: nobody\n',
    });
    writeFileSync(join(root, 'containers/junk'), '');
    expect(run(front, ['--root', root, 'ps', '-aq'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^14c+\n13b+\n12a+\n$/) });
  });
});
