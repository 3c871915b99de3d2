/**
 * npm run bench [-- TOPIC…] [--rounds N] [--json FILE]: tsrun beside its peers from the distribution, in one run, in turns.
 * A missed goal is printed and is not a failure: machines differ. A command that fails is one.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { formatRow, type Row } from './report.ts';
import { type Setting, withSetting } from './setting.ts';
import { TOPICS } from './topics.ts';

const DEFAULT_ROUNDS = 25;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function version(path: string): string {
  return spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '';
}

function describeMachine(setting: Setting): void {
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  print(`${cpus().length} CPUs (${cpus()[0]?.model ?? '?'}), ${memoryGiB} GiB, Linux ${release()}, Node ${process.version}`);
  for (const { path } of setting.runtimes) print(`${path}: ${version(path)}`);
  print(`medians of ${setting.rounds} rounds, ratios round by round\n`);
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, json: { type: 'string' } },
  });
  const [root = '.', ...wanted] = positionals;
  const topics = TOPICS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (topics.length === 0) {
    print(`no such topic; there are: ${TOPICS.map(({ name }) => name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  withSetting(root, Number(values.rounds ?? DEFAULT_ROUNDS), (setting) => {
    describeMachine(setting);
    for (const topic of topics) {
      const missing = topic.missing?.();
      if (missing !== undefined) {
        print(`${topic.name}: not measured here: ${missing}`);
        continue;
      }
      for (const row of topic.measure(setting)) {
        rows.push(row);
        print(formatRow(row));
      }
    }
  });
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  const missed = rows.flatMap(({ goals }) => goals).filter(({ value, limit }) => value > limit).length;
  print(`\n${rows.flatMap(({ goals }) => goals).length - missed} goals reached, ${missed} missed`);
}

main();
