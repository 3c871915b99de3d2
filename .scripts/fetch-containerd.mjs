// node .scripts/fetch-containerd.mjs SUITE: containerd and ctr from a suite of Debian's archive, unpacked into the cache; nothing is installed.
// Prints the folder.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Archive, cacheFolder } from './debian.mjs';

const [suite] = process.argv.slice(2);
if (!suite) {
  console.error('usage: node .scripts/fetch-containerd.mjs SUITE');
  process.exit(2);
}
const target = join(cacheFolder(), `containerd-${suite}-${process.arch}`);
if (!existsSync(target)) {
  mkdirSync(dirname(target), { recursive: true });
  const unpacked = `${target}.${process.pid}`;
  const archive = new Archive(dirname(target), [suite]);
  try {
    archive.unpack(['containerd'], unpacked);
    if (existsSync(target)) rmSync(unpacked, { recursive: true, force: true });
    else renameSync(unpacked, target);
  } finally {
    archive.dispose();
    rmSync(unpacked, { recursive: true, force: true });
  }
}
console.log(target);
