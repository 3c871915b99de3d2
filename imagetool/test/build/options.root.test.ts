/** What the options of `tsimg build` do, one by one. */

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { command, describeWith, itWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { images } from '../../src/cli/commands/images.ts';
import { push } from '../../src/cli/commands/push.ts';
import { tag } from '../../src/cli/commands/tag.ts';
import { digestOf } from '../../src/digest/digest.ts';
import { TestRegistry } from '../../src/registry/test-registry.ts';
import { Transport } from '../../src/registry/transport.ts';
import { ended, TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'options of a build', () => {
  const registry = new TestRegistry();
  const transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
  let bench: BuildBench;
  let tsimg: TsimgCommand;
  beforeAll(async () => {
    await registry.start();
    bench = await BuildBench.make(transport);
    tsimg = await TsimgCommand.make(bench);
  });
  afterAll(async () => {
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
    await transport.close();
    await registry.stop();
  });
  const context = (name: string, dockerfile: string): string => bench.context(name, { Dockerfile: dockerfile });

  it('--pull takes the base that the registry has now', async () => {
    const base = `${registry.host}/base:1`;
    const publish = async (content: string): Promise<void> => {
      await bench.build('-q', '-t', base, context('base', `FROM busybox\nRUN echo ${content} > /base\n`));
      await bench.run(push, base);
    };
    await publish('new');
    await bench.build('-q', '-t', 'localhost/old', context('base', 'FROM busybox\nRUN echo old > /base\n'));
    await bench.run(tag, 'localhost/old', base);
    const build = async (...args: string[]): Promise<string | undefined> => {
      await bench.build('-q', '-t', 'localhost/pulled', ...args, context('pull', `FROM ${base}\nRUN cat /base > /copy\n`));
      return await bench.text('localhost/pulled', 'copy');
    };
    expect(await build()).toBe('old\n');
    expect(await build('--pull')).toBe('new\n');
    await expect(bench.build('--pull', context('pull', `FROM ${registry.host}/none:1\n`))).rejects.toThrow(/Dockerfile:1:6.*none/);
  });

  it('--add-host and --build-arg, --label, several -t', async () => {
    const dockerfile = 'FROM busybox\nARG WHAT\nRUN echo $WHAT > /what && grep -E "one|two" /etc/hosts > /hosts\n';
    const options = ['--add-host', 'one:10.0.0.1', '--add-host', 'two=[fd00::2]', '--build-arg', 'WHAT=x', '--label', 'a=b c'];
    await bench.build('-q', ...options, '-t', 'localhost/first', '-t', 'localhost/second:2', context('hosts', dockerfile));
    expect(await bench.text('localhost/second:2', 'hosts')).toBe('10.0.0.1 one\nfd00::2 two\n');
    expect(await bench.text('localhost/first', 'what')).toBe('x\n');
    expect((await bench.image('localhost/first')).config.config?.Labels).toEqual({ a: 'b c' });
  });

  it('--no-cache-filter makes one stage anew', async () => {
    const directory = context('filter', 'FROM busybox AS one\nRUN echo 1 > /1\nFROM busybox AS two\nRUN echo 2\nCOPY --from=one /1 /1\n');
    await bench.build('-q', directory);
    expect((await bench.steps('--no-cache-filter', 'one', directory)).made).toEqual(['RUN echo 1 > /1']);
  });

  it('--iidfile and --metadata-file say what was made', async () => {
    const [id, metadata] = [join(bench.directory.path, 'iid'), join(bench.directory.path, 'metadata.json')];
    const { lines } = await bench.build(
      ...['-q', '--iidfile', id, '--metadata-file', metadata, '-t', 'localhost/told'],
      context('told', 'FROM busybox\nLABEL a=b\n'),
    );
    const { descriptor, manifest } = await bench.image('localhost/told');
    expect([lines, readFileSync(id, 'utf8')]).toEqual([[descriptor.digest], descriptor.digest]);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({
      'containerimage.digest': descriptor.digest,
      'containerimage.config.digest': manifest.config.digest,
      'image.name': 'localhost/told:latest',
    });
  });

  describe('--output', () => {
    const dockerfile = 'FROM busybox AS one\nRUN echo made > /made && ln -s made /link\nFROM scratch\nCOPY --from=one /made /link /\n';
    const listing = (path: string): string[] => execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).trim().split('\n').sort();
    const build = async (output: string, ...args: string[]) =>
      await bench.build('-q', '-o', output, ...args, context('outputs', dockerfile));

    it('image', async () => {
      await build('type=image,name=localhost/output');
      expect(await bench.text('localhost/output', 'made')).toBe('made\n');
    });
    it.each(['oci', 'docker'])('%s', async (type) => {
      const file = join(bench.directory.path, `${type}.tar`);
      await build(`type=${type},dest=${file}`, '-t', 'localhost/archived:1');
      expect(listing(file)).toEqual(expect.arrayContaining(['index.json', 'manifest.json', 'oci-layout']));
      const list: unknown = JSON.parse(execFileSync('tar', ['-xOf', file, 'manifest.json'], { encoding: 'utf8' }));
      expect(list).toMatchObject([{ RepoTags: ['localhost/archived:1'] }]);
    });
    itWith([command('skopeo')], 'oci, as skopeo reads it', async () => {
      const file = join(bench.directory.path, 'skopeo.tar');
      await build(`type=oci,dest=${file}`);
      const { Digest }: { Digest: string } = JSON.parse(execFileSync('skopeo', ['inspect', `oci-archive:${file}`], { encoding: 'utf8' }));
      expect([Digest]).toEqual((await build('type=image')).lines);
    });
    it('tar', async () => {
      const file = join(bench.directory.path, 'files.tar');
      await build(`type=tar,dest=${file}`);
      expect(listing(file).filter((name) => !name.endsWith('/'))).toEqual(['link', 'made']);
    });
    it('tar, to the standard output', async () => {
      const { status, stdout } = await tsimg.run('', 'build', '-o', '-', context('outputs', dockerfile));
      expect([status, execFileSync('tar', ['-xOf', '-', 'made'], { input: stdout, encoding: 'utf8' })]).toEqual([0, 'made\n']);
    });
    it.each(['type=local,dest=', ''])('local: %sDIRECTORY', async (prefix) => {
      const directory = join(bench.directory.path, `local-${prefix.length}`);
      await build(`${prefix}${directory}`);
      expect([readdirSync(directory).sort(), readFileSync(join(directory, 'link'), 'utf8')]).toEqual([['link', 'made'], 'made\n']);
    });
    it('what cannot be', async () => {
      await expect(build('type=zip,dest=x')).rejects.toThrow('type can be image, oci, docker, tar or local');
      await expect(build('type=local')).rejects.toThrow('needs dest=');
      await expect(build('type=tar,dest=/does/not/exist/x')).rejects.toThrow('/does/not/exist/x');
    });
  });

  describe('--progress', () => {
    const dockerfile = 'FROM busybox\nRUN echo said && printf rest\nRUN echo two\n';
    it('json', async () => {
      const { status, stderr } = await tsimg.run('', 'build', '--progress', 'json', '--no-cache', context('progress', dockerfile));
      const events: { kind: string; id: number; name?: string; text?: string; outcome?: string }[] = stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const id = events.find(({ name }) => name?.includes('echo said'))?.id;
      const own = events.filter((event) => event.id === id);
      expect([status, own[0]?.kind, own.at(-1)]).toEqual([0, 'begin', expect.objectContaining({ kind: 'end', outcome: 'done' })]);
      expect(own.map(({ text }) => text ?? '').join('')).toBe('said\nrest');
    });
    itWith([command('script')], 'tty', async () => {
      const words = tsimg.argv('build', '--progress', 'tty', '--no-cache', context('progress', dockerfile)).join(' ');
      const { stdout, status } = await ended(spawn('script', ['-qec', words, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] }), '');
      const text = stdout.toString('utf8');
      expect([status, text]).toEqual([0, expect.stringContaining('FINISHED')]);
      const last = text.slice(text.lastIndexOf('[+] Building'));
      expect(last).toMatch(/\[\+\] Building [\d.]+s \((\d+)\/\1\) FINISHED/);
      expect(last).toMatch(/=> \[2\/3\] RUN echo said && printf rest {2}[\d.]+s/);
    });
    it('what it cannot be', async () => {
      const { status, stderr } = await tsimg.run('', 'build', '--progress', 'loud', context('progress', dockerfile));
      expect([status, stderr]).toEqual([2, expect.stringContaining('--progress cannot be loud')]);
    });
  });

  describe('ADD of URLs', () => {
    let server: Server;
    let url: string;
    let requests: string[];
    const content = 'from afar\n';
    beforeAll(async () => {
      requests = [];
      const packed = bench.context('packed', { inside: 'unpacked' });
      const archive = execFileSync('tar', ['-C', packed, '-czf', '-', 'inside']);
      server = createServer((request, response) => {
        requests.push(request.url ?? '');
        if (request.url === '/moved') response.writeHead(302, { location: '/file.txt' }).end();
        else if (request.url === '/archive.tar.gz') response.end(archive);
        else if (request.url === '/gone') response.writeHead(410).end();
        else response.writeHead(200, { 'last-modified': 'Tue, 14 Nov 2023 00:00:00 GMT' }).end(content);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });

    it('under their names, with their times', async () => {
      const adds = [
        `ADD ${url}/file.txt /`,
        `ADD ${url}/moved /sub/name`,
        `ADD ${url}/archive.tar.gz /`,
        `ADD --unpack=true ${url}/archive.tar.gz /out/`,
      ];
      await bench.build(
        '-q',
        '-t',
        'localhost/added',
        context('urls', `FROM busybox\n${adds.join('\n')}\nRUN stat -c '%a %Y' /file.txt > /stat\n`),
      );
      await bench.withTree('localhost/added', (root) => {
        const text = (path: string): string => readFileSync(join(root, path), 'utf8');
        expect([text('file.txt'), text('sub/name'), text('out/inside'), text('stat')]).toEqual([
          content,
          content,
          'unpacked',
          '600 1699920000\n',
        ]);
        expect(readdirSync(root)).toContain('archive.tar.gz');
      });
    });
    it('--checksum: of what is known the server is not asked again', async () => {
      const file = context('sums', `FROM busybox\nADD --checksum=${digestOf(content)} ${url}/file.txt /x\n`);
      await bench.build('-q', '-t', 'localhost/sums', file);
      requests.length = 0;
      expect((await bench.steps(file)).cached).toHaveLength(1);
      expect(requests).toEqual([]);
      const wrong = context('wrong', `FROM busybox\nADD --checksum=${digestOf('x')} ${url}/file.txt /x\n`);
      await expect(bench.build(wrong)).rejects.toThrow(`${url}/file.txt is ${digestOf(content)}, not ${digestOf('x')} as --checksum says`);
    });
    it('what is gone', async () => {
      await expect(bench.build(context('gone', `FROM busybox\nADD ${url}/gone /x\n`))).rejects.toThrow('the server answers 410');
    });
  });

  for (const tool of ['bzip2', 'xz']) {
    itWith([command(tool)], `ADD of ${tool} archives`, async () => {
      const directory = bench.context(`add-${tool}`, { Dockerfile: 'FROM busybox\nADD archive plain /\n', 'files/inside': tool });
      execFileSync('tar', ['-C', join(directory, 'files'), `--${tool}`, '-cf', join(directory, 'archive'), '.']);
      // Compressed, but no archive: it stays as it is.
      writeFileSync(join(directory, 'plain'), execFileSync(tool, ['-c'], { input: 'text' }));
      await bench.build('-q', '-t', `localhost/add-${tool}`, directory);
      await bench.withTree(`localhost/add-${tool}`, (root) => {
        expect(readFileSync(join(root, 'inside'), 'utf8')).toBe(tool);
        expect(readFileSync(join(root, 'plain'))).toEqual(readFileSync(join(directory, 'plain')));
      });
    });
  }

  describe('--platform', () => {
    it('of several makes an index', async () => {
      const dockerfile = 'FROM scratch AS files\nCOPY a /a\nFROM files\nARG TARGETARCH\nLABEL arch=$TARGETARCH\n';
      const directory = bench.context('platforms', { Dockerfile: dockerfile, a: 'a' });
      const file = join(bench.directory.path, 'platforms.tar');
      const outputs = ['-o', 'type=image', '-o', `type=oci,dest=${file}`, '-o', join(bench.directory.path, 'platforms-out')];
      const { lines, notes } = await bench.build('-t', 'localhost/many', '--platform', 'linux/amd64,linux/arm64/v8', ...outputs, directory);
      expect([lines, notes.join('\n')]).toEqual([[], expect.stringContaining('[linux/arm64 files 1/1] COPY a /a')]);
      for (const [architecture, path] of [
        ['amd64', 'linux_amd64'],
        ['arm64', 'linux_arm64'],
      ] as const) {
        const { config } = await bench.image('localhost/many', { os: 'linux', architecture });
        expect([config.architecture, config.config?.Labels]).toEqual([architecture, { arch: architecture }]);
        expect(readFileSync(join(bench.directory.path, 'platforms-out', path, 'a'), 'utf8')).toBe('a');
      }
      expect(execFileSync('tar', ['-tf', file], { encoding: 'utf8' })).toContain('index.json');
      await expect(bench.build('--platform', 'linux/amd64,linux/arm64', '-o', 'type=docker,dest=x', directory)).rejects.toThrow(
        'type=docker holds one platform',
      );
    });
    /** Each waits for the other: one after the other they would wait in vain. */
    const meet = 'touch /m/$TARGETARCH; for i in $(seq 600); do test -e /m/amd64 && test -e /m/arm64 && exit; sleep 0.1; done; exit 7';
    const both = ['--platform', 'linux/amd64,linux/arm64'];
    it('of several are built side by side, and what they have in common once', async () => {
      const dockerfile = [
        'FROM --platform=$BUILDPLATFORM busybox AS tools',
        'RUN --mount=type=cache,target=/m,id=meet echo made >> /m/count && cp /m/count /count',
        'FROM --platform=$BUILDPLATFORM busybox',
        'COPY --from=tools /count /count',
        'ARG TARGETARCH',
        `RUN --mount=type=cache,target=/m,id=meet ${meet}`,
      ];
      await bench.build('-q', ...both, '-t', 'localhost/met', context('meet', `${dockerfile.join('\n')}\n`));
      expect(await bench.text('localhost/met', 'count')).toBe('made\n');
    });
    it('of which one fails: the others are stopped', async () => {
      const run = 'test $TARGETARCH = amd64 && exec sleep 600; exit 7';
      const dockerfile = `FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nRUN ${run}\n`;
      await expect(bench.build(...both, '-t', 'localhost/half', context('half', dockerfile))).rejects.toThrow(
        /linux\/arm64 2\/2.*exit code: 7/,
      );
      expect([bench.leftovers(), (await bench.run(images)).lines.join('\n')]).toEqual([[], expect.not.stringContaining('half')]);
    });
    it('that the base image does not have', async () => {
      const missing = bench.build('--platform', 'linux/amd64,linux/s390x', context('missing', 'FROM busybox\nRUN true\n'));
      await expect(missing).rejects.toThrow(/the base image busybox cannot be had/);
    });
  });
});
