// Finds QuickJS-ng for the native command: installed, fetched before, or from Debian's archive, unpacked beside the system.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hasCommand, Missing, root, run } from './files.mjs';

/** Debian's package of the header and the static library; older suites do not have it, so it is taken from the newest. */
const PACKAGE = 'libqjs-dev';
const SUITE = 'sid';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

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

function cacheFolder() {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tsrun');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return join(root, 'node_modules/.cache/tsrun');
  }
}

/** @param {string} target */
function fetchPackage(target) {
  const mirror = debianMirror();
  console.log(`Fetching the QuickJS-ng engine (${PACKAGE}) from Debian …`);
  mkdirSync(join(target, '..'), { recursive: true });
  const folder = mkdtempSync(join(target, '..', 'fetch-'));
  try {
    for (const name of ['lists/partial', 'cache/archives/partial', 'state']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    // A private state of apt: the other suite never reaches the machine's own package lists, and root is not needed. apt checks the signature.
    writeFileSync(join(folder, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} ${SUITE} main\n`);
    const settings = {
      'Dir::Etc::sourcelist': join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::State::lists': join(folder, 'lists'),
      'Dir::Cache': join(folder, 'cache'),
      'Acquire::Languages': 'none',
      'Acquire::Retries': '2',
      'APT::Sandbox::User': '',
      'Debug::NoLocking': 'true',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    run('apt-get', ['-qq', ...options, 'update'], { cwd: folder });
    run('apt-get', ['-qq', ...options, 'download', PACKAGE], { cwd: folder });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
    run('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: folder });
    rmSync(target, { recursive: true, force: true });
    renameSync(join(folder, 'unpacked/usr'), target);
  } catch (error) {
    throw new Missing(
      `the package ${PACKAGE} could not be fetched (${firstLine(error)}); install QuickJS-ng and set QJS_PREFIX to where it is`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The mirror this machine uses already. */
function debianMirror() {
  const advice = 'install QuickJS-ng (libqjs.a, qjs/quickjs.h) and set QJS_PREFIX to where it is';
  if (!hasCommand('apt-get') || !existsSync(KEYRING) || !/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) {
    throw new Missing(`there is no QuickJS-ng here and this is not Debian, so that the build could fetch it; ${advice}`);
  }
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])];
  const texts = files.filter((name) => existsSync(name)).map((name) => readFileSync(name, 'utf8'));
  const addresses = texts.flatMap((text) =>
    [...text.matchAll(/^(?:deb\s+(?:\[[^\]]*\]\s*)?|URIs:\s*)(\S+)/gm)].map((match) => match[1] ?? ''),
  );
  const mirror = addresses.find((address) => !/security/.test(address));
  if (!mirror) {
    throw new Missing(`apt has no source on this machine; ${advice}`);
  }
  return mirror;
}

/** @param {unknown} error */
function firstLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n').find((line) => /^E:|error/i.test(line)) ?? text.split('\n')[0];
}
