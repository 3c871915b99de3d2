/**
 * npm run bench -- tsimg[-TOPIC]… [--rounds N] [--json FILE]: tsimg beside skopeo, umoci and buildah, in one run, in turns, with one registry on loopback.
 * A missed goal is printed and is not a failure: machines differ. A command that fails is one.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatRow, type Row } from '../../runtime/bench/report.ts';
import { createNodeSys } from '../../runtime/src/sys/node.ts';
import { findProgram, type Setting } from './setting.ts';
import { cleanAfter, TOPICS, topicsFor } from './topics.ts';

const DEFAULT_ROUNDS = 25;
/** Besides the first one, which does not count. A topic is to end within three minutes. */
const MAX_HEAVY_ROUNDS = 3;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describeMachine({ peers, rounds, heavyRounds }: Setting): void {
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  print(`${cpus().length} CPUs (${cpus()[0]?.model ?? '?'}), ${memoryGiB} GiB, Linux ${release()}, Node ${process.version}`);
  for (const path of Object.values(peers)) print(`${path}: ${spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]}`);
  print(`medians of ${heavyRounds} rounds (images: ${rounds}), ratios round by round\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, json: { type: 'string' } },
  });
  const [root = '.', ...wanted] = positionals;
  const topics = topicsFor(wanted);
  if (topics.length === 0) {
    print(`no such topic; there are: ${TOPICS.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS);
  const home = mkdtempSync(join(tmpdir(), 'tsimg-bench-'));
  const directory = join(home, 'work');
  const setting: Setting = {
    sys: createNodeSys(),
    rounds,
    heavyRounds: Math.min(rounds, MAX_HEAVY_ROUNDS),
    directory,
    seed: join(root, 'node_modules/.cache/tsrun-bench/images'),
    log: join(home, 'log'),
    peers: { skopeo: findProgram('skopeo'), umoci: findProgram('umoci'), buildah: findProgram('buildah') },
    tsimg: (store, ...args) => ({ path: join(root, 'dist/bin/tsimg'), args: ['--root', resolve(directory, store), ...args] }),
  };
  const rows: Row[] = [];
  describeMachine(setting);
  try {
    for (const topic of topics) {
      cleanAfter(setting);
      for (const row of await topic.measure(setting)) {
        rows.push(row);
        print(formatRow(row));
      }
    }
    rmSync(home, { recursive: true, force: true });
  } catch (error) {
    // The log of what failed stays.
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  const missed = rows.flatMap(({ goals }) => goals).filter(({ value, limit }) => value > limit).length;
  print(`\n${rows.flatMap(({ goals }) => goals).length - missed} goals reached, ${missed} missed`);
}

main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
