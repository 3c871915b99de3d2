// What tsrun-node does beforehand, in the build: the functions that this needs are kept as bytecode. Where containers cannot be made, that is less.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Containers whose program ends at once, with all that belongs to them in a folder that is removed.
 * @param {(words: string[]) => void} start runs the command with these words and waits for its end, whatever that is
 * @param {string} program a static executable
 */
export function trainRuntime(start, program) {
  const folder = mkdtempSync(join(tmpdir(), 'tsrun-training-'));
  const config = join(folder, 'config.json');
  const id = `tsrun-training-${process.pid}`;
  const onContainer = (/** @type {string[]} */ ...words) => start(['--root', join(folder, 'state'), ...words]);
  try {
    mkdirSync(join(folder, 'rootfs'));
    copyFileSync(program, join(folder, 'rootfs/program'));
    start(['spec', '--bundle', folder, ...(process.getuid?.() === 0 ? [] : ['--rootless'])]);
    if (!existsSync(config)) return;
    const spec = JSON.parse(readFileSync(config, 'utf8'));
    writeFileSync(config, JSON.stringify({ ...spec, process: { ...spec.process, terminal: false, args: ['/program'] } }));
    onContainer('run', '--bundle', folder, `${id}-run`);
    onContainer('create', '--bundle', folder, '--pid-file', join(folder, 'pid'), id);
    onContainer('state', id);
    onContainer('exec', id, '/program');
    onContainer('exec', '--detach', id, '/program');
    onContainer('kill', id, 'CONT');
    onContainer('start', id);
    onContainer('list');
    onContainer('ps', id);
    onContainer('pause', id);
    onContainer('resume', id);
    start(['features']);
    onContainer('delete', '--force', id);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
