/** What each kind of instruction means when its variables have values. Everything here throws ProblemError. */

import { parseSignal } from '../../../../runtime/src/linux/signals.ts';
import type * as ast from './ast.ts';
import { ProblemError } from './error.ts';
import type {
  ExpandedAdd,
  ExpandedArg,
  ExpandedCopy,
  ExpandedExpose,
  ExpandedHealthcheck,
  ExpandedInstruction,
  ExpandedRun,
  ExpandedStopsignal,
  ModeChange,
  Mount,
} from './expanded.ts';
import { chompTabs } from './heredocs.ts';
import { parseMode } from './mode.ts';
import { MountError, parseMount } from './mount.ts';
import { parsePorts } from './ports.ts';
import { runForm } from './run-form.ts';
import type { StageScope, Variables } from './scope.ts';

/** How words are expanded. */
export interface Expander {
  expand(word: ast.Word, variables: Variables): string;
  split(word: ast.Word, variables: Variables): string[];
  part(word: ast.Word, text: string, variables: Variables): string;
  body(word: ast.Word, text: string, variables: Variables): string;
}

export function expanders(words: Expander, scope: StageScope): (instruction: ast.StageInstruction) => ExpandedInstruction {
  const expand = (word: ast.Word) => words.expand(word, scope);
  return (written) => {
    switch (written.kind) {
      case 'ARG':
        return argumentsOf(words, scope, written);
      case 'ENV':
        return { kind: 'ENV', written, pairs: pairsOf(written, expand) };
      case 'LABEL':
        return { kind: 'LABEL', written, pairs: pairsOf(written, expand) };
      case 'RUN':
        return runOf(words, scope, written);
      case 'COPY':
        return copyOf(words, scope, written);
      case 'ADD':
        return addOf(words, scope, written);
      case 'WORKDIR':
        return { kind: 'WORKDIR', written, path: expand(written.path) };
      case 'USER':
        return { kind: 'USER', written, user: expand(written.user) };
      case 'EXPOSE':
        return exposeOf(words, scope, written);
      case 'VOLUME':
        return { kind: 'VOLUME', written, paths: written.paths.map((path) => needValue(path, expand(path), 'the path of a volume')) };
      case 'STOPSIGNAL':
        return stopsignalOf(written, expand(written.signal));
      case 'HEALTHCHECK':
        return healthcheckOf(written);
      // The rest is not expanded: the shell of the container does that.
      case 'CMD':
      case 'ENTRYPOINT':
        return { kind: written.kind, written, command: written.command };
      case 'SHELL':
        return { kind: 'SHELL', written, argv: written.argv };
      case 'ONBUILD':
        return { kind: 'ONBUILD', written, expression: written.expression };
      case 'MAINTAINER':
        return { kind: 'MAINTAINER', written, name: written.name.text };
    }
  };
}

/** Each argument sees the ones before it, of the same instruction as well. */
function argumentsOf(words: Expander, scope: StageScope, written: ast.ArgInstruction): ExpandedArg {
  let seen = scope;
  const results: { readonly name: string; readonly value?: string }[] = [];
  for (const { name, value: fallback } of written.arguments) {
    const value =
      scope.buildArguments.get(name.text) ?? (fallback === undefined ? scope.globals.get(name.text) : words.expand(fallback, seen));
    const result = { name: name.text, ...(value === undefined ? {} : { value }) };
    seen = seen.after({ kind: 'ARG', written, arguments: [result] });
    results.push(result);
  }
  return { kind: 'ARG', written, arguments: results };
}

function pairsOf({ kind, pairs }: ast.EnvInstruction | ast.LabelInstruction, expand: (word: ast.Word) => string) {
  return pairs.map(({ name, value }) => ({ name: needValue(name, expand(name), `the name of ${kind}`), value: expand(value) }));
}

function needValue(word: ast.Word, value: string, what: string): string {
  if (value === '') throw new ProblemError(word.range, `${what} is empty`);
  return value;
}

function runOf(words: Expander, scope: StageScope, written: ast.RunInstruction): ExpandedRun {
  const mounts = written.mounts.map((word): Mount => {
    try {
      return parseMount(word.text, (value) => words.part(word, value, scope));
    } catch (error) {
      if (error instanceof MountError) throw new ProblemError(word.range, `--mount: ${error.message}`, error.hint);
      throw error;
    }
  });
  return { kind: 'RUN', written, run: runForm(written), mounts, network: written.network, security: written.security };
}

function transferOf(words: Expander, scope: StageScope, written: ast.CopyInstruction | ast.AddInstruction) {
  const expand = (word: ast.Word | undefined) => (word === undefined ? '' : words.expand(word, scope));
  const chown = expand(written.chown);
  const chmod = expand(written.chmod);
  return {
    sources: written.sources.map((source) => words.expand(source, scope)),
    files: written.heredocs.map(({ name, expands, chomps, body, range }) => {
      const text = chomps ? chompTabs(body) : body;
      return { name, content: expands ? words.body({ text: name, range }, text, scope) : text };
    }),
    destination: words.expand(written.destination, scope),
    ...(chown === '' ? {} : { chown }),
    ...(chmod === '' || written.chmod === undefined ? {} : { chmod: modeOf(written.chmod, chmod) }),
    link: written.link,
    excludes: written.excludes.map((exclude) => exclude.text),
  };
}

function modeOf(word: ast.Word, text: string): ModeChange {
  const mode = parseMode(text);
  if (mode === undefined) {
    const hint = 'Modes are in octal up to 7777, or as u=rwX,go=rX.';
    throw new ProblemError(word.range, `--chmod=${text} is no mode`, hint);
  }
  return mode;
}

function copyOf(words: Expander, scope: StageScope, written: ast.CopyInstruction): ExpandedCopy {
  const from = written.from?.text;
  return { kind: 'COPY', written, ...transferOf(words, scope, written), ...(from === undefined ? {} : { from }), parents: written.parents };
}

function addOf(words: Expander, scope: StageScope, written: ast.AddInstruction): ExpandedAdd {
  const { keepGitDir, unpack } = written;
  const checksum = written.checksum === undefined ? '' : words.expand(written.checksum, scope);
  if (written.checksum !== undefined && checksum !== '' && written.sources.length + written.heredocs.length !== 1) {
    throw new ProblemError(written.checksum.range, '--checksum is for exactly one source');
  }
  return {
    kind: 'ADD',
    written,
    ...transferOf(words, scope, written),
    ...(checksum === '' ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}

function exposeOf(words: Expander, scope: StageScope, written: ast.ExposeInstruction): ExpandedExpose {
  const ports = new Set<string>();
  for (const word of written.ports.toSorted((a, b) => (a.text < b.text ? -1 : 1))) {
    for (const text of words.split(word, scope)) {
      const parsed = parsePorts(text);
      if (typeof parsed === 'string') throw new ProblemError(word.range, `EXPOSE ${text}: ${parsed}`, 'As 80, 53/udp or 8000-8010/tcp.');
      for (const port of parsed.ports) ports.add(port);
    }
  }
  return { kind: 'EXPOSE', written, ports: [...ports] };
}

function stopsignalOf(written: ast.StopsignalInstruction, signal: string): ExpandedStopsignal {
  const number = parseSignal(signal);
  if (number === undefined || number === 0) {
    throw new ProblemError(written.signal.range, `${JSON.stringify(signal)} is no signal`, 'As SIGTERM, QUIT or 9.');
  }
  return { kind: 'STOPSIGNAL', written, signal };
}

function healthcheckOf(written: ast.HealthcheckInstruction): ExpandedHealthcheck {
  const { command } = written;
  if (command === undefined) return { kind: 'HEALTHCHECK', written, test: ['NONE'] };
  const test = command.form === 'exec' ? ['CMD', ...command.argv] : ['CMD-SHELL', command.line];
  return { kind: 'HEALTHCHECK', written, test };
}
