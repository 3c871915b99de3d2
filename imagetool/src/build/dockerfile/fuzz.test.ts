// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the language under test.

import { fc, runs } from '../../../../.scripts/jest/fuzz.ts';
import { DockerfileError } from './error.ts';
import { expandFrom, expandInstruction, globalScope } from './expand.ts';
import { parseDockerfile, parseTrigger } from './parse.ts';
import { StageScope } from './scope.ts';
import { excerpt, sourceOf, textIn } from './source.ts';

const keyword = fc.constantFrom(
  ...['FROM', 'ARG', 'ENV', 'LABEL', 'RUN', 'COPY', 'ADD', 'WORKDIR', 'USER', 'EXPOSE', 'VOLUME', 'CMD', 'ENTRYPOINT', 'SHELL'],
  ...['STOPSIGNAL', 'HEALTHCHECK', 'HEALTHCHECK CMD', 'ONBUILD', 'ONBUILD RUN', 'MAINTAINER', 'run', 'RUNN', '#', '# escape=`\n'],
);
const piece = fc.constantFrom(
  ...[
    'a',
    '=',
    'b=c',
    '"',
    "'",
    '\\',
    '`',
    '$x',
    '${x',
    '${x:-y}',
    '${x%%*}',
    '${x#',
    '${x//',
    '-*',
    '(|)',
    '}',
    '[',
    ']',
    '["a","b"]',
    ',',
    '<<E',
    '<<-"F"',
    'E',
    '\nE\n',
    '\nF\n',
  ],
  ...[
    ' ',
    '  ',
    '\t',
    '\n',
    '\\\n',
    '\r\n',
    '--',
    '--from=a',
    '--mount=type=cache,target=/x',
    '--chmod=u+x',
    '--interval=1s',
    '80/tcp',
    '/',
    '*',
    '.',
  ],
  ...['\u00A0', '\u{1F600}', '\u00E4', '\uFEFF', '\0', 'scratch', ' AS ', 'NONE'],
);
const instruction = fc.tuple(keyword, fc.array(piece, { maxLength: 8 })).map(([word, rest]) => `${word} ${rest.join('')}`);
const file = fc.array(fc.oneof(instruction, fc.string()), { maxLength: 6 }).map((lines) => ['FROM scratch', ...lines].join('\n'));

/** Undefined: refused as it should be. */
function orRefused<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

describe('any text', () => {
  it('is understood, or refused with its place', () => {
    fc.assert(
      fc.property(file, (text) => {
        try {
          parseDockerfile(text);
        } catch (error) {
          if (!(error instanceof DockerfileError)) throw error;
          for (const { range } of error.problems) {
            expect(range.start.line).toBeLessThanOrEqual(Math.max(1, error.source.lines.length));
            expect(range.start.line).toBeLessThan(range.end.line + (range.start.column <= range.end.column ? 1 : 0));
            expect(excerpt(error.source, range)).toContain('^');
          }
        }
      }),
      runs(150),
    );
  });

  it('keeps its places true: the text at an instruction is that instruction again', () => {
    fc.assert(
      fc.property(file, (text) => {
        const parsed = orRefused(() => parseDockerfile(text));
        for (const one of parsed?.stages.flatMap((stage) => [stage.from, ...stage.instructions]) ?? []) {
          const own = textIn(parsed?.source ?? sourceOf('', ''), one.range);
          const head = parsed?.escape === '`' ? '# escape=`\n' : '';
          const again = parseDockerfile(one.kind === 'FROM' ? `${head}${own}` : `${head}FROM scratch\n${own}`).stages[0];
          expect((one.kind === 'FROM' ? again.from : again.instructions[0])?.code).toBe(one.code);
        }
      }),
      runs(150),
    );
  });

  it('expands, or is refused', () => {
    fc.assert(
      fc.property(file, (text) => {
        const parsed = orRefused(() => parseDockerfile(text));
        if (parsed === undefined) return;
        orRefused(() => {
          const globals = globalScope(parsed, new Map(), new Map([['x', 'a b']]));
          const scope = StageScope.begin({ environment: ['x=v*'], globals, buildArguments: new Map() });
          for (const stage of parsed.stages) {
            orRefused(() => expandFrom(stage.from, globals, parsed));
            for (const one of stage.instructions) orRefused(() => expandInstruction(one, scope, parsed));
          }
        });
      }),
      runs(150),
    );
  });

  it('reads an ONBUILD trigger as it was written', () => {
    fc.assert(
      fc.property(instruction, (text) => {
        const parsed = orRefused(() => parseDockerfile(`FROM scratch\nONBUILD ${text}`));
        const [onbuild] = parsed?.stages[0].instructions ?? [];
        if (onbuild?.kind !== 'ONBUILD') return;
        const again = orRefused(() => parseTrigger(onbuild.expression, 'base'));
        if (again !== undefined) expect(again.code).toBe(onbuild.trigger.code);
      }),
      runs(150),
    );
  });
});
