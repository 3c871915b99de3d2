import type { Instruction } from './ast.ts';
import { DockerfileError } from './error.ts';
import { parseDockerfile, parseTrigger } from './parse.ts';
import { textIn } from './source.ts';

/** The instructions behind `FROM scratch`. */
function parse(text: string): readonly Instruction[] {
  return parseDockerfile(`FROM scratch\n${text}`).stages[0].instructions;
}

function problemsOf(text: string): readonly string[] {
  try {
    parseDockerfile(text);
  } catch (error) {
    if (error instanceof DockerfileError) {
      return error.problems.map(
        ({ range: { start }, reason, hint }) => `${start.line}:${start.column} ${reason}${hint ? ` | ${hint}` : ''}`,
      );
    }
    throw error;
  }
  return [];
}

describe('lines', () => {
  it.each([
    ['RUN a \\\n  b', 'RUN a   b'],
    ['RUN a\\\nb', 'RUN ab'],
    ['RUN a \\  \n\tb', 'RUN a \tb'],
    ['RUN a \\\n# comment\n   # another\n b', 'RUN a  b'],
    ['RUN a \\\n\n b', 'RUN a  b'],
    ['RUN a \\\\\nRUN b', 'RUN a \\\\'],
    ['  RUN   a  b  ', 'RUN   a  b'],
    ['RUN a \\\r\n b\r\n', 'RUN a  b'],
    ['RUN a \\', 'RUN a'],
    ['RUN \\\n a', 'RUN  a'],
    ['\\\nRUN a', 'RUN a'],
    ['RUN a # no comment', 'RUN a # no comment'],
    ['RUN a \\\n#\\\n b', 'RUN a  b'],
  ])('joins %j', (written, code) => {
    expect(parse(written)[0]?.code).toBe(code);
  });

  it('drops a byte order mark, and takes CRLF', () => {
    const { stages } = parseDockerfile('\uFEFF# escape=`\r\nFROM scratch\r\nRUN a `\r\n  b\r\n');
    expect(stages[0].instructions.map(({ code }) => code)).toEqual(['RUN a   b']);
  });

  it('knows the place of a word behind a continuation', () => {
    const source = 'FROM scratch\nCOPY a \\\n# comment\n  b /dest\n';
    const file = parseDockerfile(source);
    const [copy] = file.stages[0].instructions;
    if (copy?.kind !== 'COPY') throw new Error('no COPY');
    expect(copy.sources.map(({ range }) => range.start)).toEqual([
      { line: 2, column: 6 },
      { line: 4, column: 3 },
    ]);
    expect(textIn(file.source, copy.destination.range)).toBe('/dest');
    expect(copy.range).toEqual({ start: { line: 2, column: 1 }, end: { line: 4, column: 10 } });
  });

  it('keeps comments right above, and tells blank lines inside an instruction', () => {
    const file = parseDockerfile('FROM scratch\n# far\n\n# near\n# check=skip=all\nRUN a \\\n\n  b\n');
    expect(file.stages[0].instructions[0]?.comments).toEqual(['near', 'check=skip=all']);
    expect(file.emptyContinuations).toEqual([{ start: { line: 7, column: 1 }, end: { line: 7, column: 1 } }]);
  });
});

describe('directives', () => {
  it.each([
    [
      '# syntax=docker/dockerfile:1\n# escape=`\n# check=error=true\n',
      { syntax: 'docker/dockerfile:1', escape: '`', check: 'error=true' },
      '`',
    ],
    ['#ESCAPE = `\n', { escape: '`' }, '`'],
    ['# a comment\n# escape=`\n', {}, '\\'],
    ['\n# escape=`\n', {}, '\\'],
    ['# other=x\n# escape=`\n', {}, '\\'],
    ['# escape=\\\n', { escape: '\\' }, '\\'],
  ])('reads %j', (head, directives, token) => {
    const file = parseDockerfile(`${head}FROM scratch\n`);
    expect(Object.fromEntries(file.directives.map(({ name, value }) => [name, value]))).toEqual(directives);
    expect(file.escape).toBe(token);
  });

  it.each([
    ['# escape=x\nFROM scratch', ['1:1 escape=x: it has to be \\ or `']],
    ['# escape=`\n# escape=`\nFROM scratch', ['2:1 there can be only one escape directive']],
  ])('refuses %j', (source, problems) => {
    expect(problemsOf(source)).toEqual(problems);
  });
});

describe('stages', () => {
  it('knows names, platforms and global arguments', () => {
    const { globals, stages } = parseDockerfile(
      'ARG V=1\nARG A B=2\nFROM --platform=$BUILDPLATFORM golang:$V AS Build\nRUN x\nfrom build as b2\nFROM scratch',
    );
    expect(globals.flatMap((arg) => arg.arguments.map(({ name, value }) => [name.text, value?.text]))).toEqual([
      ['V', '1'],
      ['A', undefined],
      ['B', '2'],
    ]);
    expect(stages.map(({ index, name, from }) => [index, name, from.image.text, from.platform?.text])).toEqual([
      [0, 'build', 'golang:$V', '$BUILDPLATFORM'],
      [1, 'b2', 'build', undefined],
      [2, undefined, 'scratch', undefined],
    ]);
  });

  it.each([
    ['FROM', ['1:1 FROM needs an image, a stage or scratch']],
    ['FROM a b', ['1:8 FROM takes an image, or an image, AS and a name | A name of a stage comes after AS; a comment has its own line.']],
    ['FROM a AS', ['1:8 FROM takes an image, or an image, AS and a name | Write FROM image AS name.']],
    ['FROM a AS b c', ['1:13 FROM takes an image, or an image, AS and a name | Write FROM image AS name.']],
    ['FROM a AS 1b', [expect.stringContaining('1:11 "1b" cannot be the name of a stage')]],
    ['FROM --plattform=x a', ['1:6 FROM has no flag --plattform | Did you mean --platform?']],
    ['', [expect.stringContaining('1:1 there is no instruction')]],
    ['# only a comment\n', [expect.stringContaining('there is no instruction')]],
    ['ARG X=1\n', [expect.stringContaining('there is no FROM')]],
    ['RUN x\nFROM scratch', ['1:1 RUN stands before the first FROM: only ARG can']],
  ])('refuses %j', (source, problems) => {
    expect(problemsOf(source)).toEqual(problems);
  });
});

describe('exec and shell form', () => {
  it.each([
    ['CMD ["a", "b c"]', { form: 'exec', argv: ['a', 'b c'] }],
    ['CMD [ "a" , "\\u0041\\n" ]', { form: 'exec', argv: ['a', 'A\n'] }],
    ['CMD []', { form: 'exec', argv: [] }],
    ["CMD ['a']", { form: 'shell', line: "['a']" }],
    ['CMD ["a",]', { form: 'shell', line: '["a",]' }],
    ['CMD ["a"] && b', { form: 'shell', line: '["a"] && b' }],
    ['CMD [ -f x ]', { form: 'shell', line: '[ -f x ]' }],
    ['cmd echo "$x"  y', { form: 'shell', line: 'echo "$x"  y' }],
    ['ENTRYPOINT ["a"]', { form: 'exec', argv: ['a'] }],
    ['RUN ["a"]', { form: 'exec', argv: ['a'] }],
  ])('reads %j', (written, command) => {
    expect(parse(written)[0]).toMatchObject({ command });
  });

  it.each([
    ['CMD ["a", 1]', 'a JSON array may have only strings here'],
    ['CMD [["a"]]', 'a JSON array may have only strings here'],
    ['CMD', 'CMD needs a command'],
    ['RUN', 'RUN needs a command'],
    ['RUN []', 'RUN needs a command'],
    ['SHELL /bin/sh -c', 'SHELL takes a JSON array'],
    ['SHELL []', 'SHELL takes a JSON array'],
    ['CMD --version', 'CMD has no flag --version'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });

  it('takes -- as the end of the flags', () => {
    expect(parse('CMD -- --version')[0]).toMatchObject({ command: { line: '--version' } });
  });
});

describe('heredocs', () => {
  it.each([
    ['RUN <<EOF\na\nb\nEOF', [{ name: 'EOF', expands: true, chomps: false, body: 'a\nb\n' }]],
    ['RUN <<-"E O"\n\ta\n\t\tE O', [{ name: 'E O', expands: false, chomps: true, body: '\ta\n' }]],
    ["RUN 3<<'X' cat\nX", [{ name: 'X', expands: false, body: '' }]],
    [
      'RUN cat <<A - <<B\n1\nA\n2\nB',
      [
        { name: 'A', body: '1\n' },
        { name: 'B', body: '2\n' },
      ],
    ],
    ['RUN << EOF\nx\nEOF', [{ name: 'EOF', body: 'x\n' }]],
    ['RUN cat <<<EOF', []],
    ['RUN echo $((1 << 2)) "a <<EOF"', []],
    ["RUN echo it's <<EOF", []],
    ['RUN ["a", "<<EOF"]', []],
    ['RUN <<EOF\n# kept\n\n a \\\nEOF', [{ name: 'EOF', body: '# kept\n\n a \\\n' }]],
  ])('reads %j', (written, heredocs) => {
    expect(parse(written)).toMatchObject([{ heredocs }]);
  });

  it('gives COPY the bodies of its sources', () => {
    const [copy, run] = parse('COPY <<one <<"two" x /dest/\n1\none\n2\ntwo\nRUN x');
    expect(copy).toMatchObject({
      sources: [{ text: 'x' }],
      heredocs: [
        { name: 'one', expands: true, body: '1\n', bodyStart: { line: 3, column: 1 } },
        { name: 'two', expands: false, body: '2\n' },
      ],
      destination: { text: '/dest/' },
      range: { end: { line: 6, column: 4 } },
    });
    expect(run?.code).toBe('RUN x');
  });

  it.each([
    ['RUN <<EOF\na', 'the heredoc EOF does not end'],
    ['COPY a <<EOF\nEOF', 'a heredoc cannot be the destination'],
    ['COPY << EOF /x\nEOF', 'the heredoc is no word of its own'],
    ['COPY ["<<EOF", "/x"]', 'has no body'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('pairs and arguments', () => {
  it.each([
    [
      'ENV a=1 b="x y" c=z\\ w',
      [
        ['a', '1'],
        ['b', '"x y"'],
        ['c', 'z\\ w'],
      ],
      false,
    ],
    ['ENV a x  y', [['a', 'x  y']], true],
    ['ENV a=', [['a', '']], false],
    [
      'LABEL "com.x"="y" z=\'"\'',
      [
        ['"com.x"', '"y"'],
        ['z', "'\"'"],
      ],
      false,
    ],
    ['ENV a=b=c', [['a', 'b=c']], false],
  ])('splits %j', (written, pairs, legacy) => {
    const [instruction] = parse(written);
    if (instruction?.kind !== 'ENV' && instruction?.kind !== 'LABEL') throw new Error('wrong kind');
    expect(instruction.pairs.map(({ name, value }) => [name.text, value.text])).toEqual(pairs);
    expect(instruction.legacy).toBe(legacy);
  });

  it.each([
    ['ENV', 'ENV needs name=value'],
    ['ENV a', 'ENV a has no value'],
    ['ENV a=1 b', '"b" is not name=value'],
    ['ENV =1', 'the name is empty'],
    ['ARG', 'ARG needs a name'],
    ['LABEL a', 'LABEL a has no value'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('COPY and ADD', () => {
  it('knows all flags', () => {
    expect(parse('COPY --from=0 --chown=a:b --chmod=0644 --link --parents --exclude=*.md --exclude=x a b/ c/')[0]).toMatchObject({
      from: { text: '0' },
      chown: { text: 'a:b' },
      chmod: { text: '0644' },
      link: true,
      parents: true,
      excludes: [{ text: '*.md' }, { text: 'x' }],
      sources: [{ text: 'a' }, { text: 'b/' }],
      destination: { text: 'c/' },
    });
    expect(parse('ADD --checksum=sha256:1 --keep-git-dir=false --unpack --link=false u /')[0]).toMatchObject({
      checksum: { text: 'sha256:1' },
      keepGitDir: false,
      unpack: true,
      link: false,
    });
  });

  it('takes paths with blanks from an array', () => {
    expect(parse('COPY ["a b", "c d/"]')[0]).toMatchObject({ sources: [{ text: 'a b' }], destination: { text: 'c d/' } });
  });

  it.each([
    ['COPY', 'COPY needs a source and a destination'],
    ['COPY a', 'COPY needs a destination after its source'],
    ['COPY --fromm=x a b', 'COPY has no flag --fromm | Did you mean --from?'],
    ['ADD --from=x a b', 'ADD has no flag --from | --from is a flag of COPY.'],
    ['COPY --chown a b', '--chown needs a value'],
    ['COPY --link=maybe a b', '--link is true or false'],
    ['COPY --chown=a --chown=b a b', '--chown is there twice'],
    ['COPY --from=$x a b', '--from takes no variables'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('the other instructions', () => {
  it('reads them', () => {
    const kinds = parse(
      [
        'WORKDIR /a b',
        'USER a:b',
        'EXPOSE 80 53/udp',
        'VOLUME /a /b',
        'VOLUME ["/a b"]',
        'STOPSIGNAL SIGINT',
        'MAINTAINER Somebody <x@y>',
        'SHELL ["/bin/bash", "-c"]',
      ].join('\n'),
    );
    expect(kinds).toMatchObject([
      { kind: 'WORKDIR', path: { text: '/a b' } },
      { kind: 'USER', user: { text: 'a:b' } },
      { kind: 'EXPOSE', ports: [{ text: '80' }, { text: '53/udp' }] },
      { kind: 'VOLUME', paths: [{ text: '/a' }, { text: '/b' }] },
      { kind: 'VOLUME', paths: [{ text: '/a b' }] },
      { kind: 'STOPSIGNAL', signal: { text: 'SIGINT' } },
      { kind: 'MAINTAINER', name: { text: 'Somebody <x@y>' } },
      { kind: 'SHELL', argv: ['/bin/bash', '-c'] },
    ]);
  });

  it('reads health checks', () => {
    expect(
      parse(
        'HEALTHCHECK --interval=1m30s --timeout=3s --start-period=500ms --start-interval=1s --retries=5 CMD curl -f http://x/\nHEALTHCHECK none',
      ),
    ).toMatchObject([
      {
        interval: 90e9,
        timeout: 3e9,
        startPeriod: 5e8,
        startInterval: 1e9,
        retries: 5,
        command: { form: 'shell', line: 'curl -f http://x/' },
      },
      { kind: 'HEALTHCHECK' },
    ]);
  });

  it.each([
    ['HEALTHCHECK', 'HEALTHCHECK needs CMD'],
    ['HEALTHCHECK curl x', 'it is CMD or NONE'],
    ['HEALTHCHECK CMD', 'needs a command'],
    ['HEALTHCHECK CMD []', 'needs a command'],
    ['HEALTHCHECK NONE x', 'NONE takes nothing more'],
    ['HEALTHCHECK --interval=5 CMD x', 'is no duration'],
    ['HEALTHCHECK --interval=1us CMD x', 'is less than 1ms'],
    ['HEALTHCHECK --retries=-1 CMD x', 'is no number of tries'],
    ['RUN --network=hosts x', '--network cannot be "hosts" | Did you mean host?'],
    ['RUN --mount=from=$x,target=/y z', 'from takes no variables'],
    ['VOLUME []', 'VOLUME needs a path'],
    ['VOLUME [""]', 'the path of a volume is empty'],
    ['WORKDIR', 'WORKDIR needs a path'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('ONBUILD', () => {
  it('keeps the trigger as text and as an instruction', () => {
    expect(parse('ONBUILD COPY --chown=a . /x')[0]).toMatchObject({
      expression: 'COPY --chown=a . /x',
      trigger: { kind: 'COPY', chown: { text: 'a' } },
    });
    expect(parse('onbuild RUN <<EOF\na\nEOF')[0]).toMatchObject({
      expression: 'RUN <<EOF\na\nEOF',
      trigger: { heredocs: [{ body: 'a\n' }] },
    });
  });

  it('reads a trigger again', () => {
    expect(parseTrigger('RUN <<EOF\na\nEOF', 'base')).toMatchObject({ kind: 'RUN', heredocs: [{ body: 'a\n' }] });
    expect(() => parseTrigger('RUN a\nRUN b', 'base')).toThrow(/exactly one instruction/);
    expect(() => parseTrigger('FROM a', 'base')).toThrow(/ONBUILD of base:1:1: FROM cannot be a trigger/);
  });

  it.each([
    ['ONBUILD', 'ONBUILD needs an instruction'],
    ['ONBUILD ONBUILD RUN x', 'ONBUILD cannot be behind ONBUILD'],
    ['ONBUILD FROM x', 'FROM cannot be behind ONBUILD'],
    ['ONBUILD MAINTAINER x', 'MAINTAINER cannot be behind ONBUILD'],
    ['ONBUILD RUNN x', 'there is no instruction "RUNN" | Did you mean RUN?'],
  ])('refuses %j', (written, reason) => {
    expect(problemsOf(`FROM scratch\n${written}`)).toEqual([expect.stringContaining(reason)]);
  });
});

describe('messages', () => {
  it('lists every problem, and of each what was probably meant', () => {
    expect(problemsOf('FROM scratch\nRUNN x\nCOPY a\nRUN apt-get update &&\n  apt-get install -y x\nRUN\u00A0x')).toEqual([
      '2:1 there is no instruction "RUNN" | Did you mean RUN?',
      '3:1 COPY needs a destination after its source',
      '5:3 there is no instruction "apt-get" | Does line 4 lack a \\ at its end?',
      '6:1 there is no instruction "RUN\u00A0x" | What comes after RUN looks like a blank, but is another character: type it again.',
    ]);
  });

  it('shows the lines around the place', () => {
    expect(() => parseDockerfile('FROM scratch\n\nCPY a b\nRUN x\n', 'sub/Dockerfile')).toThrow(
      expect.objectContaining({
        code: 'dockerfile',
        message: [
          'sub/Dockerfile:3:1: there is no instruction "CPY"',
          '  1 | FROM scratch',
          '  2 |',
          '  3 | CPY a b',
          '    | ^^^',
          '  4 | RUN x',
        ].join('\n'),
        hint: 'Did you mean COPY?',
      }),
    );
  });
});
