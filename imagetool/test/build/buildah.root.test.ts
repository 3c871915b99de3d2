/** The same Dockerfiles built by buildah: equal trees and configurations, where buildah does as docker does. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import type { ContainerConfig } from '../../../specs/image/config.ts';
import { save } from '../../src/cli/commands/save.ts';
import { describeTree } from '../../src/layer/testing.ts';
import { BuildBench } from './testing.ts';

interface BuildahConfig {
  readonly config?: ContainerConfig;
}

/** One name each; what they copy is in `writeContext`. */
const DOCKERFILES: Readonly<Record<string, string>> = {
  copy: `FROM localhost/busybox
    RUN ln -s /real /link && mkdir /real /there && echo old > /there/a
    COPY a /
    COPY a /renamed
    COPY a there
    COPY a /link/
    COPY sub /new
    COPY sub/ /there/
    COPY a sub/b /many/
    COPY *.txt /globbed/
    COPY --chown=7:8 sub /owned
    COPY --chown=daemon sub/b /by-name
    COPY --chmod=640 a /moded
    ADD archive.tar /unpacked/
    ADD archive.tar.gz /
    COPY pointer /followed`,
  run: `FROM localhost/busybox
    ENV A=1
    ARG B=2
    ARG C
    WORKDIR /w/x
    WORKDIR y
    RUN echo $A $B $C > vars && pwd > where && id -u > who
    RUN ["touch", "exec"]
    RUN rm -rf /root && mkdir /root && echo new > /root/file
    RUN rm /w/x/y/where && chmod 711 /w && mkfifo pipe && ln vars vars2
    USER daemon:bin
    RUN id -un > /tmp/daemon && id -gn > /tmp/bin
    SHELL ["/bin/sh", "-ec"]
    RUN echo shell > /tmp/shell`,
  config: `FROM localhost/busybox
    LABEL one=1 two="2 words" three='3'
    EXPOSE 80 81/udp
    VOLUME /data /more
    STOPSIGNAL SIGINT
    USER daemon
    WORKDIR /srv
    ENV PATH=/x:$PATH EMPTY=
    ENTRYPOINT ["/bin/sh", "-c"]
    CMD ["echo hello"]`,
  stages: `ARG TAG=latest
    FROM localhost/busybox:$TAG AS one
    RUN mkdir -p /out/deep && echo 1 > /out/deep/f && ln -s f /out/deep/link && chmod 600 /out/deep/f
    FROM localhost/busybox AS unused
    RUN exit 1
    FROM one AS two
    RUN echo 2 > /out/g
    FROM scratch
    COPY --from=one /out /one
    COPY --from=two /out/g /two/
    COPY --from=localhost/busybox /etc/passwd /passwd
    CMD ["/none"]`,
};

function writeContext(directory: string): void {
  mkdirSync(join(directory, 'sub/deep'), { recursive: true });
  for (const name of ['a', 'one.txt', 'two.txt', 'sub/b', 'sub/deep/c']) writeFileSync(join(directory, name), `${name}\n`);
  chmodSync(join(directory, 'sub/b'), 0o755);
  symlinkSync('b', join(directory, 'sub/to-b'));
  symlinkSync('sub/b', join(directory, 'pointer'));
  const tar = (...args: string[]): void => {
    execFileSync('tar', ['-C', directory, '--mtime=@1600000000', ...args]);
  };
  tar('--owner=3', '--group=4', '-cf', join(directory, 'archive.tar'), 'sub');
  tar('-czf', join(directory, 'archive.tar.gz'), 'one.txt', 'two.txt');
}

describeWith([rootUser, command('busybox'), command('buildah')], 'beside buildah', () => {
  let bench: BuildBench;
  let context: string;
  const at = (name: string): string => join(bench.directory.path, name);
  const buildah = (...args: string[]): string =>
    execFileSync('buildah', ['--root', at('buildah'), '--runroot', at('buildah-run'), '--storage-driver', 'overlay', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();

  beforeAll(async () => {
    bench = await BuildBench.make();
    // Users to be looked up.
    const base = bench.context('base', {
      Dockerfile: `FROM busybox\nRUN echo daemon:x:1:1::/:/bin/sh >> /etc/passwd && printf 'daemon:x:1:\\nbin:x:2:\\n' >> /etc/group && mkdir -m 1777 -p /tmp`,
    });
    await bench.build('-q', '-t', 'localhost/busybox', base);
    await bench.run(save, '-o', at('base.tar'), 'localhost/busybox');
    writeFileSync(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    buildah('pull', '-q', '--signature-policy', at('policy.json'), `docker-archive:${at('base.tar')}`);
    context = bench.context('context', Object.fromEntries(Object.entries(DOCKERFILES).map(([name, text]) => [`${name}.Dockerfile`, text])));
    writeContext(context);
  }, 120_000);
  afterAll(() => {
    buildah('rm', '--all');
    expect(bench.leftovers()).toEqual([]);
    bench[Symbol.dispose]();
  });

  it.each(Object.keys(DOCKERFILES))(
    '%s',
    async (name) => {
      const file = join(context, `${name}.Dockerfile`);
      await bench.build('-q', '-t', `localhost/${name}`, '-f', file, context);
      buildah(
        'bud',
        '-q',
        '--isolation',
        'chroot',
        '--signature-policy',
        at('policy.json'),
        '-t',
        `localhost/theirs-${name}`,
        '-f',
        file,
        context,
      );
      const container = buildah('from', '--signature-policy', at('policy.json'), `localhost/theirs-${name}`);
      const theirTree = linesOf(buildah('mount', container));
      const theirs: { OCIv1: BuildahConfig } = JSON.parse(buildah('inspect', '--type', 'image', `localhost/theirs-${name}`));
      await bench.withTree(`localhost/${name}`, (root, { config }) => {
        expect(linesOf(root)).toEqual(theirTree);
        expect(comparable(config.config)).toEqual(comparable(theirs.OCIv1.config));
      });
    },
    180_000,
  );
});

/** Places of mounts, which buildah leaves in its images, and the Dockerfiles' own root are not compared; nor are times of directories. */
function linesOf(root: string): string[] {
  const lines = describeTree(root, { times: false }).filter(
    (line) => !/^\/(?:etc\/(?:hosts|resolv\.conf|hostname)|run(?:\/\.containerenv)?|proc|sys|dev) /.test(line),
  );
  return lines.slice(1);
}

/** OCI's configuration, which buildah writes, has no SHELL. */
function comparable(config: ContainerConfig = {}): object {
  const { Labels, WorkingDir, Shell: _shell, ...rest } = config;
  const { 'io.buildah.version': _version, ...labels } = Labels ?? {};
  return { ...rest, WorkingDir: WorkingDir ?? '/', Labels: labels };
}
