// npm run test:node24: the Node commands and the Node side of Sys on Node 24, which npm has as a package.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForNode } from './build/node-commands.mjs';
import { ensureNodeModules, root } from './prepare.mjs';

const VERSION = '24';
const folder = join(root, 'node_modules/.cache/node24');
const node = join(folder, `node_modules/node-linux-${process.arch}/bin/node`);

ensureNodeModules();
if (!existsSync(node)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  show('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `node-linux-${process.arch}@${VERSION}`]);
}
show(node, ['--version']);
// The scenario of both engines, as a bundle, so that the shipped form and koffi's binary are tested.
const bundle = join(root, 'dist/.build/scenario-node.cjs');
await bundleForNode(join(root, 'runtime/native/test/scenario-node-main.ts'), bundle);
show(node, [bundle]);
show(node, ['node_modules/jest/bin/jest.js', '--selectProjects', 'unit', '--maxWorkers=2', ...process.argv.slice(2)]);

/** @param {string} command @param {string[]} args */
function show(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
