// Completes package-lock.json: a registry that has no packages for other systems leaves them out of it, and then `npm ci` refuses it everywhere.
// What such a package is for is in its name (…-linux-x64-musl), and its version in the package that wants it. Run by `npm run fix`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** @typedef {{ version?: string, dev?: boolean, optionalDependencies?: Record<string, string>, [key: string]: unknown }} LockedPackage */

const path = join(resolve(import.meta.dirname, '..'), 'package-lock.json');
/** @type {{ packages: Record<string, LockedPackage> }} */
const lock = JSON.parse(readFileSync(path, 'utf8'));
const PLATFORM = /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/;
let added = 0;

for (const { dev, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    const platform = PLATFORM.exec(name);
    if (lock.packages[key] || !platform || !/^\d/.test(version)) {
      continue;
    }
    const libc = platform[1] === 'linux' ? { libc: [platform[3]?.startsWith('musl') ? 'musl' : 'glibc'] } : {};
    lock.packages[key] = { version, cpu: [platform[2] ?? ''], ...(dev ? { dev } : {}), ...libc, optional: true, os: [platform[1] ?? ''] };
    added += 1;
  }
}
if (added > 0) {
  const packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`package-lock.json: added ${added} packages for other systems`);
}
