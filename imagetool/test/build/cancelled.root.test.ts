/** Builds that are stopped by a signal, or killed, at every kind of step and at random moments: nothing is left of them, and the next one works. */

import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, describeWith, itWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { gc } from '../../src/cli/commands/gc.ts';
import { images } from '../../src/cli/commands/images.ts';
import { verify } from '../../src/cli/commands/verify.ts';
import { TsimgCommand } from './command.ts';
import { RunningBuild } from './running-build.ts';
import { BuildBench } from './testing.ts';

/** Each builds several times: seconds, and minutes on a machine that has much other work. */
jest.setTimeout(900_000);

/** Another one at every run; what fails names it. */
const SEED = Number(process.env['TSIMG_TEST_SEED'] ?? Date.now() % 1_000_000);
const RANDOM_MOMENTS = 6;

const MANY_FILES = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`d${n % 50}/f${n}`, `${n} `.repeat(500)]));

describeWith([rootUser, command('busybox')], 'builds that are cancelled', () => {
  let bench: BuildBench;
  let tsimg: TsimgCommand;
  let server: Server;
  /** Of a server that takes every question, and answers none. */
  let host: string;

  beforeAll(async () => {
    bench = await BuildBench.make();
    tsimg = await TsimgCommand.make(bench);
    server = createServer((request, response) => {
      if (request.url === '/half') response.writeHead(200, { 'content-length': '1000' }).write('half');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    bench[Symbol.dispose]();
  });

  /** Of a build that is over. After kill -9 the next command that cleans has to come. */
  async function expectNothingLeft(build: RunningBuild, signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGKILL') await bench.run(gc);
    for (let attempt = 0; attempt < 1000 && build.processes(bench.storeRoot).length > 0; attempt += 1) await sleep(10);
    expect({ processes: build.processes(bench.storeRoot), left: bench.leftovers() }).toEqual({ processes: [], left: [] });
    expect((await bench.run(images)).lines.join('\n')).not.toContain('never');
  }

  async function cancel(signal: NodeJS.Signals, shown: RegExp, ...args: readonly string[]): Promise<void> {
    using build = new RunningBuild(tsimg, '--no-cache', '-t', 'localhost/never', ...args);
    await build.shows(shown);
    const code = await build.stop(signal);
    expect([code, build.output]).toEqual([signal === 'SIGKILL' ? null : 1, expect.anything()]);
    if (signal !== 'SIGKILL') expect(build.output).toContain(`stopped by ${signal}`);
    await expectNothingLeft(build, signal);
  }

  const mounts = [
    '--mount=type=bind,target=/context,rw',
    '--mount=type=bind,from=other,target=/other',
    '--mount=type=cache,target=/cache',
    '--mount=type=tmpfs,target=/tmp',
    '--mount=type=secret,id=key',
  ].join(' ');
  const locked = '--mount=type=cache,target=/c,id=lock,sharing=locked';
  /** What is shown when the build is where it is to be stopped. */
  const steps: readonly [what: string, dockerfile: () => string, shown: RegExp, args?: () => string[]][] = [
    ['the look-up of a base image', () => `FROM ${host}/base:1\n`, /load metadata for/],
    ['a COPY', () => 'FROM busybox\nCOPY . /all\n', /COPY \. \/all/],
    ['an ADD of a URL that does not answer', () => `FROM busybox\nADD http://${host}/none /x\n`, /ADD http/],
    ['an ADD of a URL that stops', () => `FROM busybox\nADD http://${host}/half /x\n`, /ADD http/],
    [
      'a RUN with mounts of all kinds',
      () => `FROM busybox AS other\nRUN echo other\nFROM busybox\nRUN ${mounts} echo started && sleep 600\n`,
      /^#\d+ [\d.]+ started/m,
      () => ['--secret', `id=key,src=${join(bench.directory.path, 'tsimg.cjs')}`],
    ],
    [
      'a RUN that does not heed signals',
      () => 'FROM busybox\nRUN trap "" INT TERM HUP; (trap "" INT TERM; sleep 600) & echo started; sleep 600\n',
      /^#\d+ [\d.]+ started/m,
    ],
    [
      'a RUN that waits for a cache',
      () =>
        `FROM busybox AS a\nRUN ${locked} echo started a; sleep 600\nFROM busybox AS b\nRUN ${locked} echo started b; sleep 600\nFROM busybox\nCOPY --from=a / /a\nCOPY --from=b / /b\n`,
      /^#\d+ [\d.]+ started/m,
    ],
    [
      'a build for two platforms',
      () => 'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nRUN echo started $TARGETARCH; sleep 600\n',
      /started amd64[\s\S]*started arm64|started arm64[\s\S]*started amd64/,
      () => ['--platform', 'linux/amd64,linux/arm64'],
    ],
    ['the layer of a RUN', () => 'FROM busybox\nRUN --mount=type=bind,target=/c echo started; cp -r /c /copy\n', /^#\d+ [\d.]+ started/m],
    ['the export', () => 'FROM busybox\nCOPY . /all\n', /exporting to local/, () => ['-o', join(bench.directory.path, 'exported')]],
  ];

  describe.each(steps)('at %s', (what, dockerfile, shown, args = () => []) => {
    // Both signals that ask are the same to a build; each has its turn.
    const asking = steps.findIndex(([name]) => name === what) % 2 === 0 ? 'SIGINT' : 'SIGTERM';
    it.each([asking, 'SIGKILL'] as const)('by %s', async (signal) => {
      const name = `step-${what.replaceAll(/\W/g, '-')}`;
      await cancel(signal, shown, ...args(), bench.context(name, { Dockerfile: dockerfile(), ...MANY_FILES }));
    });
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('at a context that does not come, by %s', async (signal) => {
    await cancel(signal, /load build context/, '-');
  });

  itWith([command('git')], 'at a repository that does not answer', async () => {
    await cancel('SIGTERM', /ADD http/, bench.context('git', { Dockerfile: `FROM busybox\nADD http://${host}/x.git /x\n` }));
  });

  it(`at random moments (TSIMG_TEST_SEED=${SEED})`, async () => {
    const dockerfile = [
      'FROM busybox AS one',
      'RUN --mount=type=cache,target=/c echo 1 > /c/x && cp /c/x /x',
      'WORKDIR /one/two',
      'COPY d1 d2 ./',
      'FROM busybox AS two',
      'RUN --mount=type=bind,target=/c cp -r /c/d3 /d3',
      'COPY --from=one /x /x',
      'RUN rm -r /d3/f3 && mkdir /d4',
      'COPY <<f /inline',
      'text',
      'f',
    ];
    const context = bench.context('random', { Dockerfile: `${dockerfile.join('\n')}\n`, ...MANY_FILES });
    const options = ['-q', '--no-cache', context];
    const began = Date.now();
    using whole = new RunningBuild(tsimg, ...options);
    expect(await whole.ended).toBe(0);
    const wholeMs = Date.now() - began;
    const random = randomNumbers(SEED);
    for (let moment = 0; moment < RANDOM_MOMENTS; moment += 1) {
      const signal = (['SIGINT', 'SIGTERM', 'SIGKILL'] as const)[Math.floor(random() * 3)] ?? 'SIGKILL';
      using build = new RunningBuild(tsimg, ...options);
      await sleep(random() * wholeMs);
      await build.stop(signal);
      await expectNothingLeft(build, signal);
    }
    // What they left in the store is whole, and of use.
    expect((await bench.run(verify)).status).toBe(0);
    await bench.build('-q', '-t', 'localhost/after', context);
    await bench.withTree('localhost/after', (root) => {
      const found = execFileSync('sh', ['-c', 'cat x inline d3/f53; find d3 -name "f*" | wc -l'], { cwd: root, encoding: 'utf8' });
      expect(found).toBe(`1\ntext\n${'53 '.repeat(500)}59\n`);
    });
  });
});

/** Numbers from 0 to 1 (a linear congruential generator). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
