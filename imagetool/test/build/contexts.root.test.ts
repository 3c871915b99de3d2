/** Where the files of a build come from: the standard input, web servers, repositories, contexts with names. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { command, describeWith, itWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { save } from '../../src/cli/commands/save.ts';
import { TsimgCommand } from './command.ts';
import { BuildBench } from './testing.ts';

const DOCKERFILE = 'FROM busybox\nCOPY . /src\n';

/** Each makes several images: many seconds on a machine that has other work. */
jest.setTimeout(180_000);

describeWith([rootUser, command('busybox')], 'contexts', () => {
  let bench: BuildBench;
  let tsimg: TsimgCommand;
  /** Serves the files below `web`. */
  let server: Server;
  let url: string;
  const web = (): string => join(bench.directory.path, 'web');

  beforeAll(async () => {
    bench = await BuildBench.make();
    tsimg = await TsimgCommand.make(bench);
    mkdirSync(web());
    server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(web(), new URL(request.url ?? '/', 'http://x').pathname)));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  const files = { Dockerfile: DOCKERFILE, a: 'content', '.dockerignore': 'secret\n', secret: 'secret' };
  function archive(name: string, ...options: readonly string[]): Buffer {
    return execFileSync('tar', ['-C', bench.context(name, files), ...options, '-cf', '-', '.']);
  }
  async function expectFiles(name: string): Promise<void> {
    await bench.withTree(name, (root) => {
      expect(readFileSync(join(root, 'src/a'), 'utf8')).toBe('content');
      expect(() => readFileSync(join(root, 'src/secret'))).toThrow('ENOENT');
    });
  }

  describe('on the standard input', () => {
    it.each([
      ['tar', []],
      ['tar of the oldest kind', ['--format=v7']],
      ['gzip', ['--gzip']],
    ])('%s', async (name, options) => {
      const { status, stderr } = await tsimg.run(archive('piped', ...options), 'build', '-t', 'localhost/piped', '-');
      expect([name, status, stderr]).toEqual([name, 0, expect.stringContaining('naming to localhost/piped')]);
      await expectFiles('localhost/piped');
    });
    itWith([command('bzip2')], 'bzip2', async () => {
      expect((await tsimg.run(archive('piped', '--bzip2'), 'build', '-q', '-t', 'localhost/bz', '-')).status).toBe(0);
      await expectFiles('localhost/bz');
    });
    itWith([command('xz')], 'xz', async () => {
      expect((await tsimg.run(archive('piped', '--xz'), 'build', '-q', '-t', 'localhost/xz', '-')).status).toBe(0);
      await expectFiles('localhost/xz');
    });
    it('another Dockerfile of the archive by -f', async () => {
      const context = bench.context('other', { 'docker/Other': DOCKERFILE, a: 'content' });
      const input = execFileSync('tar', ['-C', context, '-cf', '-', '.']);
      expect((await tsimg.run(input, 'build', '-q', '-t', 'localhost/other', '-f', 'docker/Other', '-')).status).toBe(0);
      await expectFiles('localhost/other');
    });
    it('a Dockerfile alone, and one beside a directory', async () => {
      const alone = await tsimg.run('FROM busybox\nRUN echo alone > /x\n', 'build', '-q', '-t', 'localhost/alone', '-');
      expect([alone.status, await bench.text('localhost/alone', 'x')]).toEqual([0, 'alone\n']);
      const context = bench.context('beside', { ...files, Dockerfile: 'nonsense' });
      expect((await tsimg.run(DOCKERFILE, 'build', '-q', '-t', 'localhost/beside', '-f', '-', context)).status).toBe(0);
      await expectFiles('localhost/beside');
    });
    it('files that a Dockerfile alone does not have', async () => {
      const { status, stderr } = await tsimg.run('FROM busybox\nCOPY a /a\n', 'build', '-');
      expect([status, stderr]).toEqual([1, expect.stringContaining('has no "a"')]);
    });
    it('an archive that is damaged, and one that leads out of itself', async () => {
      const damaged = archive('piped', '--gzip').subarray(0, 100);
      expect((await tsimg.run(damaged, 'build', '-')).status).toBe(1);
      const context = bench.context('leading', { ...files, Dockerfile: '' });
      symlinkSync('/etc/passwd', join(context, 'Linked'));
      const input = execFileSync('tar', ['-C', context, '-cf', '-', '.']);
      const { status, stderr } = await tsimg.run(input, 'build', '-f', 'Linked', '-');
      expect([status, stderr]).toEqual([1, expect.not.stringContaining('root:')]);
    });
  });

  it('of web servers: an archive, or a Dockerfile', async () => {
    writeFileSync(join(web(), 'context.tar.gz'), archive('served', '--gzip'));
    await bench.build('-q', '-t', 'localhost/served', `${url}/context.tar.gz`);
    await expectFiles('localhost/served');
    writeFileSync(join(web(), 'Dockerfile'), 'FROM busybox\nRUN echo served > /x\n');
    await bench.build('-q', '-t', 'localhost/served', `${url}/Dockerfile`);
    expect(await bench.text('localhost/served', 'x')).toBe('served\n');
    await expect(bench.build(`${url}/nothing`)).rejects.toThrow('the server answers 404');
    await expect(bench.build('http://127.0.0.1:1/nobody')).rejects.toThrow(/cannot be fetched: .*ECONNREFUSED/);
  });

  describeWith([command('git')], 'repositories', () => {
    let commits: string[];
    let served: string;
    beforeAll(() => {
      const work = bench.context('work', { ...files, 'sub/Dockerfile': DOCKERFILE, 'sub/a': 'content' });
      symlinkSync('/', join(work, 'out'));
      const git = (...args: string[]): string =>
        execFileSync('git', ['-C', work, '-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { encoding: 'utf8' }).trim();
      git('init', '-q', '-b', 'main');
      const commit = (): string => {
        git('add', '-A');
        git('commit', '-qm', 'x');
        return git('rev-parse', 'HEAD');
      };
      const first = commit();
      git('tag', 'v1');
      writeFileSync(join(work, 'a'), 'later');
      commits = [first, commit()];
      execFileSync('git', ['clone', '-q', '--bare', work, join(web(), 'repo.git')]);
      execFileSync('git', ['-C', join(web(), 'repo.git'), 'update-server-info']);
      served = `${url}/repo.git`;
    });

    it('of a branch, a tag, a commit, the beginning of one, a directory', async () => {
      const built = async (fragment: string): Promise<string | undefined> => {
        await bench.build('-q', '-t', 'localhost/repository', `${served}${fragment}`);
        return await bench.text('localhost/repository', 'src/a');
      };
      expect(await built('')).toBe('later');
      expect(await built('#v1')).toBe('content');
      expect(await built(`#${commits[0]?.slice(0, 10)}`)).toBe('content');
      expect(await built('#:sub')).toBe('content');
    });

    it('that are not as they should be', async () => {
      await expect(bench.build(`${served}#none`)).rejects.toThrow(/git fetch of .*none/);
      await expect(bench.build(`${served}#main:none`)).rejects.toThrow('the repository has no directory "none"');
      await expect(bench.build(`${served}#main:out`)).rejects.toThrow('the repository has no directory "out"');
      await expect(bench.build(`${url}/no.git`)).rejects.toThrow(/git fetch of /);
    });

    it('as sources of ADD', async () => {
      const dockerfile = (options: string): string =>
        bench.context('add', { Dockerfile: `FROM busybox\nADD ${options} ${served}#v1 /repository\n` });
      await bench.build('-q', '-t', 'localhost/added', dockerfile(''));
      await bench.withTree('localhost/added', (root) => {
        expect(readFileSync(join(root, 'repository/a'), 'utf8')).toBe('content');
        expect(() => readFileSync(join(root, 'repository/.git/HEAD'))).toThrow('ENOENT');
      });
      await bench.build('-q', '-t', 'localhost/added', dockerfile(`--keep-git-dir=true --checksum=${commits[0]}`));
      expect(await bench.text('localhost/added', 'repository/.git/HEAD')).toContain(`${commits[0]}`);
      await expect(bench.build(dockerfile(`--checksum=${commits[1]}`))).rejects.toThrow(`is at commit ${commits[0]}, not ${commits[1]}`);
    });
  });

  describe('with names', () => {
    it('directories: in COPY, in RUN, as a stage; without what their .dockerignore excludes', async () => {
      const named = bench.context('named', { one: '1', hidden: 'x', '.dockerignore': 'hidden\n' });
      const context = bench.context('naming', {
        Dockerfile: `FROM other AS files
FROM busybox
COPY --from=other . /copied
COPY --from=files / /staged
RUN --mount=type=bind,from=other,target=/mounted ls /mounted > /seen
`,
      });
      await bench.build('-q', '-t', 'localhost/named', '--build-context', `other=${named}`, context);
      await bench.withTree('localhost/named', (root) => {
        expect([readFileSync(join(root, 'copied/one'), 'utf8'), readFileSync(join(root, 'staged/one'), 'utf8')]).toEqual(['1', '1']);
        expect(readFileSync(join(root, 'seen'), 'utf8')).toBe('one\n');
        for (const path of ['copied/hidden', 'staged/hidden']) expect(() => readFileSync(join(root, path))).toThrow('ENOENT');
      });
    });

    it('images in the place of others, and layouts', async () => {
      await bench.build('-q', '-t', 'localhost/base', bench.context('base', { Dockerfile: 'FROM busybox\nRUN echo base > /base\n' }));
      const context = bench.context('replaced', {
        Dockerfile: 'FROM docker.example/app:1\nCOPY --from=lib /base /again\nRUN cat /base /again > /both\n',
      });
      const oci = join(bench.directory.path, 'layout');
      mkdirSync(oci);
      const saved = join(bench.directory.path, 'base.tar');
      await bench.run(save, '-o', saved, 'localhost/base');
      execFileSync('tar', ['-C', oci, '-xf', saved]);
      const replace = ['--build-context', 'docker.example/app:1=docker-image://localhost/base'];
      for (const source of [oci, `${oci}:latest`, `${oci}@${(await bench.image('localhost/base')).descriptor.digest}`]) {
        await bench.build('-q', '-t', 'localhost/replaced', ...replace, '--build-context', `lib=oci-layout://${source}`, context);
        expect(await bench.text('localhost/replaced', 'both')).toBe('base\nbase\n');
      }
      using other = await BuildBench.make();
      const layouts = ['docker.example/app:1', 'lib'].flatMap((name) => ['--build-context', `${name}=oci-layout://${oci}`]);
      await other.build('-q', '-t', 'localhost/replaced', ...layouts, context);
      expect(await other.text('localhost/replaced', 'both')).toBe('base\nbase\n');
      const none = bench.build(...replace, '--build-context', `lib=oci-layout://${oci}:none`, context);
      await expect(none).rejects.toThrow('has no image none');
    });

    it('that are nowhere', async () => {
      const context = bench.context('nowhere', { Dockerfile: 'FROM busybox\n' });
      await expect(bench.build('--build-context', 'x=/does/not/exist', context)).rejects.toThrow('there is no context /does/not/exist');
      await expect(bench.build('--build-context', 'x', context)).rejects.toThrow('is not NAME=PATH');
    });
  });
});
