// node .scripts/fetch-package.mjs SUITE PACKAGE: a package from a suite of Debian's archive, unpacked into the cache; nothing is installed.
// Prints the folder.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Archive, cacheFolder } from './debian.mjs';

const [suite, name] = process.argv.slice(2);
if (!suite || !name) {
  console.error('usage: node .scripts/fetch-package.mjs SUITE PACKAGE');
  process.exit(2);
}
const target = join(cacheFolder(), `${name}-${suite}-${process.arch}`);
if (!existsSync(target)) {
  mkdirSync(dirname(target), { recursive: true });
  const unpacked = `${target}.${process.pid}`;
  const archive = new Archive(dirname(target), [suite]);
  try {
    archive.unpack([name], unpacked);
    if (existsSync(target)) rmSync(unpacked, { recursive: true, force: true });
    else renameSync(unpacked, target);
  } finally {
    archive.dispose();
    rmSync(unpacked, { recursive: true, force: true });
  }
}
console.log(target);
