// Finds QuickJS-ng for the native command: installed, fetched before, or from Debian's archive, unpacked beside the system.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Archive, cacheFolder } from '../debian.mjs';
import { Missing } from './files.mjs';

/** Debian's package of the header and the static library; older suites do not have it, so it is taken from the newest. */
const PACKAGE = 'libqjs-dev';
const SUITE = 'sid';

/**
 * @typedef {{ include: string, library: string }} Engine
 * @returns {Engine}
 */
export function findEngine() {
  const here = process.env['QJS_PREFIX'];
  const found = here ? engineIn(here) : (engineIn('/usr/local') ?? engineIn('/usr'));
  if (found) {
    return found;
  }
  const cache = join(cacheFolder(), `${PACKAGE}-${process.arch}`);
  if (!engineIn(cache)) {
    fetchPackage(cache);
  }
  const fetched = engineIn(cache);
  if (!fetched) {
    throw new Missing(`the package ${PACKAGE} no longer holds qjs/quickjs.h and libqjs.a; set QJS_PREFIX to where QuickJS-ng is installed`);
  }
  return fetched;
}

/** @param {string} prefix @returns {Engine | undefined} */
function engineIn(prefix) {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  // QuickJS-ng's own layout has its header in a folder of its name; a quickjs.h elsewhere may be that of its ancestor, whose interface differs.
  const include = ['include/qjs', 'include/quickjs-ng']
    .map((name) => join(prefix, name))
    .find((name) => existsSync(join(name, 'quickjs.h')));
  const library = [`lib/${machine}-linux-gnu`, 'lib', 'lib64']
    .map((name) => join(prefix, name, 'libqjs.a'))
    .find((name) => existsSync(name));
  return include && library ? { include, library } : undefined;
}

/** @param {string} target */
function fetchPackage(target) {
  console.log(`Fetching the QuickJS-ng engine (${PACKAGE}) from Debian …`);
  const unpacked = `${target}.${process.pid}`;
  /** @type {Archive | undefined} */
  let archive;
  try {
    archive = new Archive(dirname(target), [SUITE]);
    archive.unpack([PACKAGE], unpacked);
    rmSync(target, { recursive: true, force: true });
    renameSync(join(unpacked, 'usr'), target);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Missing(
      `the package ${PACKAGE} could not be fetched (${reason}); install QuickJS-ng (libqjs.a, qjs/quickjs.h) and set QJS_PREFIX to where it is`,
    );
  } finally {
    archive?.dispose();
    rmSync(unpacked, { recursive: true, force: true });
  }
}
