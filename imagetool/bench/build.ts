/** Builds beside buildah: the same base, the same context, the same Dockerfile. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../../runtime/bench/report.ts';
import { type Contest, compare, type Topic } from './contest.ts';
import { type Command, type Cost, runCommands } from './measure.ts';
import type { Setting } from './setting.ts';

const STEPS = 'FROM localhost/base\nRUN echo one > /one\nRUN echo two > /two\nCOPY . /src\nRUN ls /src > /three\nCMD ["sh"]\n';
const COPY = 'FROM localhost/base\nCOPY . /src\n';
const FEW = 200;
const MANY = 20_000;
const FILE_BYTES = 2000;
/** Of what takes the peer half a minute. */
const MOST_LONG_ROUNDS = 1;
/** Of what takes the peer some seconds. */
const MOST_MIDDLE_ROUNDS = 2;

interface Contestants {
  readonly ours: (...args: string[]) => Command;
  readonly theirs: (...args: string[]) => Command;
}

export const buildTopic: Topic = {
  name: 'tsimg-build',
  measure: async (setting) => {
    const { sys, log, heavyRounds: rounds, directory } = setting;
    const { ours, theirs } = prepare(setting);
    const few = makeContext(join(directory, 'few'), STEPS, FEW);
    const many = makeContext(join(directory, 'many-files'), COPY, MANY);
    const run = async (command: Command): Promise<Cost> => runCommands(sys, log, command);
    const contest = (what: string, limit: number, contestants: Pick<Contest, 'ours' | 'theirs'>, most = rounds): Promise<Row[]> =>
      compare({ topic: 'tsimg-build', what, rounds: Math.min(rounds, most), limit, peer: 'buildah', ...contestants });
    // Two bytes more or less make a file another one.
    const change = (round: number): void => writeFileSync(join(many, 'd7/f7'), `round ${round}\n`);
    return [
      ...(await contest(
        `build of 3 RUN and a COPY of ${FEW} files, no cache`,
        0.7,
        {
          ours: () => run(ours('--no-cache', few)),
          theirs: () => run(theirs('--no-cache', few)),
        },
        MOST_MIDDLE_ROUNDS,
      )),
      ...(await contest('the same, all cached (buildah with --layers)', 0.3, {
        ours: () => run(ours(few)),
        theirs: () => run(theirs('--layers', few)),
      })),
      ...(await contest(
        `COPY of ${MANY} files, one changed (buildah with --layers)`,
        0.3,
        {
          ours: async (round) => {
            change(round);
            return await run(ours(many));
          },
          theirs: async (round) => {
            change(round);
            return await run(theirs('--layers', many));
          },
        },
        MOST_LONG_ROUNDS,
      )),
    ];
  },
};

/** The same base image in both stores. */
function prepare({ sys, log, directory, tsimg, peers }: Setting): Contestants {
  const at = (name: string): string => join(directory, name);
  const policy = at('policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const buildah = (...args: string[]): Command => ({
    path: peers.buildah,
    args: ['--root', at('buildah'), '--runroot', at('buildah-run'), '--storage-driver', 'overlay', ...args],
  });
  const archive = tsimg('build', 'save', '-o', at('base.tar'), 'localhost/base');
  runCommands(sys, log, tsimg('build', 'bootstrap', 'localhost/base'), archive);
  runCommands(sys, log, buildah('pull', '-q', '--signature-policy', policy, `docker-archive:${at('base.tar')}`));
  return {
    ours: (...args) => tsimg('build', 'build', '-q', '-t', 'localhost/built', ...args),
    theirs: (...args) => buildah('bud', '-q', '--runtime', 'runc', '--signature-policy', policy, '-t', 'localhost/built', ...args),
  };
}

function makeContext(directory: string, dockerfile: string, files: number): string {
  for (let file = 0; file < files; file += 1) {
    const folder = join(directory, `d${file % 100}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${file}`), `${file} `.repeat(FILE_BYTES / String(file).length));
  }
  writeFileSync(join(directory, 'Dockerfile'), dockerfile);
  return directory;
}
