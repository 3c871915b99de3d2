// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the language under test.

import { expandFrom, expandInstruction, globalScope } from './expand.ts';
import type { ExpandedInstruction } from './expanded.ts';
import { parseDockerfile } from './parse.ts';
import { StageScope } from './scope.ts';

interface Options {
  readonly environment?: readonly string[];
  readonly build?: Readonly<Record<string, string>>;
}

/** Carries a Dockerfile's last stage out as far as variables go. */
function expand(text: string, { environment = [], build = {} }: Options = {}) {
  const file = parseDockerfile(text);
  const buildArguments = new Map(Object.entries(build));
  const globals = globalScope(file, new Map([['TARGETARCH', 'amd64']]), buildArguments);
  let scope = StageScope.begin({ environment, globals, buildArguments });
  const results: ExpandedInstruction[] = [];
  const missing = new Set<string>();
  const stage = file.stages.at(-1) ?? file.stages[0];
  for (const instruction of stage.instructions) {
    const { result, missing: names } = expandInstruction(instruction, scope, file);
    if (result.kind === 'ENV' || result.kind === 'ARG') scope = scope.after(result);
    results.push(result);
    for (const name of names) missing.add(name);
  }
  return { file, globals, scope, results, missing, from: expandFrom(stage.from, globals, file).result };
}

describe('variables of a stage', () => {
  it.each([
    ['ENV a=1\nENV a=2 b=$a', {}, ['a=2', 'b=1']],
    ['ARG a=1\nENV b=$a', {}, ['a=1', 'b=1']],
    ['ARG a=1 b=$a', {}, ['a=1', 'b=1']],
    ['ARG a=1\nENV a=2', {}, ['a=2']],
    ['ARG a', {}, []],
    ['ARG a', { build: { a: 'x' } }, ['a=x']],
    ['ARG a=1', { build: { a: '' } }, ['a=']],
    ['ENV b=$a', { build: { a: 'x' } }, ['b=']],
    ['ARG a=${no:?never}', { build: { a: 'x' } }, ['a=x']],
    ['ENV PATH=/opt:$PATH', { environment: ['PATH=/bin', 'X'] }, ['PATH=/opt:/bin', 'X=']],
    ['ENV a "b  c"', {}, ['a=b  c']],
    ["ENV a='$b' c=\\$d", {}, ['a=$b', 'c=$d']],
  ])('%j', (text, options, environment) => {
    expect(expand(`FROM scratch\n${text}`, options).scope.environment()).toEqual(environment);
  });

  it('takes global arguments only where they are declared again', () => {
    const text = 'ARG V=1\nARG W=$V.2\nFROM base:$W-$TARGETARCH\nARG W\nENV a=$V b=$W';
    expect(expand(text)).toMatchObject({ from: { image: 'base:1.2-amd64' } });
    expect(expand(text).scope.environment()).toEqual(['W=1.2', 'a=', 'b=1.2']);
    expect(expand(text, { build: { V: '3' } }).scope.get('b')).toBe('3.2');
    expect(expand(text).missing).toEqual(new Set(['V']));
  });

  it('remembers the arguments for history', () => {
    expect(expand('FROM scratch\nARG a=1\nARG b\nARG a=2').scope.declared).toEqual([{ name: 'a', value: '2' }, { name: 'b' }]);
  });
});

describe('expandInstruction', () => {
  const ENV = 'ENV d=/dir n=1 who=me ports="80 443/udp" w="a b"';

  it.each([
    ['WORKDIR $d/x', { path: '/dir/x' }],
    ['USER ${who:-you}', { user: 'me' }],
    ['VOLUME $d "/b"', { paths: ['/dir', '/b'] }],
    ['VOLUME ["$d"]', { paths: ['/dir'] }],
    ['EXPOSE $ports 8000-8001', { ports: ['80/tcp', '443/udp', '8000/tcp', '8001/tcp'] }],
    ['STOPSIGNAL SIG${who:+QUIT}', { signal: 'SIGQUIT' }],
    [
      'LABEL $who="$d" x=$n',
      {
        pairs: [
          { name: 'me', value: '/dir' },
          { name: 'x', value: '1' },
        ],
      },
    ],
    ['CMD echo $d', { command: { line: 'echo $d' } }],
    [
      'RUN --mount=type=cache,target=$d,id=c-$n echo $d',
      { mounts: [{ type: 'cache', target: '/dir', id: 'c-1' }], run: { text: 'echo $d' } },
    ],
    [
      'COPY --chown=$who:$who --chmod=u=rw,go=r --exclude=$d $d/a b$n $d/',
      { chown: 'me:me', chmod: { form: 'symbolic' }, excludes: ['$d'], sources: ['/dir/a', 'b1'], destination: '/dir/' },
    ],
    ['COPY --chmod=0$n$n$n a b', { chmod: { form: 'octal', mode: 0o111 } }],
    [
      'COPY <<a <<"b" /\n$d \'$n\' \\$d\na\n$d\nb',
      {
        files: [
          { name: 'a', content: "/dir '1' $d\n" },
          { name: 'b', content: '$d\n' },
        ],
      },
    ],
    ['ADD --checksum=sha256:$n https://x/y /', { checksum: 'sha256:1', sources: ['https://x/y'] }],
    ['HEALTHCHECK CMD x $d', { test: ['CMD-SHELL', 'x $d'] }],
    ['HEALTHCHECK CMD ["x"]', { test: ['CMD', 'x'] }],
    ['HEALTHCHECK NONE', { test: ['NONE'] }],
    ['ONBUILD RUN $d', { expression: 'RUN $d' }],
  ])('%j', (text, expected) => {
    expect(expand(`FROM scratch\n${ENV}\n${text}`).results.at(-1)).toMatchObject(expected);
  });

  it.each([
    ['RUN a <<X && b\n1\nX', { form: 'shell', text: 'a <<X && b\n1\nX' }],
    ['RUN <<X\na\nb\nX', { form: 'shell', text: 'a\nb\n' }],
    ['RUN <<-X\n\ta\n\tX', { form: 'shell', text: 'a\n' }],
    ['RUN a <<-X\n\tb\n\tX', { form: 'shell', text: 'a <<-X\n\tb\nX' }],
    ['RUN <<X\n#!/bin/cat\n$d\nX', { form: 'script', name: 'X', content: '#!/bin/cat\n$d\n' }],
    ['RUN <<X bash\nb\nX', { form: 'shell', text: '<<X bash\nb\nX' }],
    ['RUN ["a", "$d"]', { form: 'exec', argv: ['a', '$d'] }],
  ])('%j', (text, run) => {
    expect(expand(`FROM scratch\n${text}`).results).toMatchObject([{ run }]);
  });

  it.each([
    ['WORKDIR "a', /Dockerfile:2:9: a double quote is never closed/],
    ['COPY "a b" c', /Dockerfile:2:6: a double quote is never closed/],
    ['USER ${x:?who}', /Dockerfile:2:6: x: who/],
    ['COPY --chmod=rwx a b', /--chmod=rwx is no mode/],
    ['EXPOSE http', /EXPOSE http: "http" is no port/],
    ['STOPSIGNAL TREM', /"TREM" is no signal/],
    ['RUN --mount=type=cahce,target=/x y', /Dockerfile:2:13: --mount: type cannot be "cahce"/],
    ['VOLUME $no', /the path of a volume is empty/],
    ['ENV $no=1', /the name of ENV is empty/],
    ['ADD --checksum=x a b c', /exactly one source/],
  ])('refuses %j', (text, message) => {
    expect(() => expand(`FROM scratch\n${text}`)).toThrow(
      expect.objectContaining({ code: 'dockerfile', message: expect.stringMatching(message) }),
    );
  });

  it('refuses an empty base', () => {
    expect(() => expand('ARG V\nFROM $V')).toThrow(/Dockerfile:2:6: \$V is empty: FROM needs an image/);
  });
});
