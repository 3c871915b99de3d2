// What has to be there before anything of this repository runs: npm's packages, and for the tests Debian's.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DEBIAN_PACKAGES } from './packages.mjs';

export const root = resolve(import.meta.dirname, '..');
export const isRoot = process.getuid?.() === 0;

/** Runs a command with our output. Its output goes to standard error where standard output is for results. @param {string} command @param {string[]} args */
export function show(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  return error ? 127 : (status ?? 1);
}

/** npm ci, unless the packages are there in the versions of package.json, which are exact. */
export function ensureNodeModules() {
  /** @type {{ dependencies: Record<string, string>, devDependencies: Record<string, string> }} */
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const wrong = Object.entries({ ...dependencies, ...devDependencies }).filter(([name, version]) => installedVersion(name) !== version);
  if (wrong.length === 0) {
    return;
  }
  console.log(`Installing npm packages (${wrong.map(([name]) => name).join(', ')}) …`);
  if (show('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']) !== 0) {
    console.error('npm ci failed, so that nothing can be built.');
    process.exit(1);
  }
}

/** @param {string} name */
function installedVersion(name) {
  const file = join(root, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** Installs what is missing where that is possible. Returns a sentence when it is not: the tests that need it will say what they miss. */
export function ensureDebianPackages() {
  const missing = Object.keys(DEBIAN_PACKAGES).filter((name) => !isInstalled(name));
  if (missing.length === 0) {
    return undefined;
  }
  const advice = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    return `Some tests may miss Debian packages: ${advice}`;
  }
  console.log(`Installing Debian packages (${missing.join(', ')}) …`);
  const install = ['-qq', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', 'install', ...missing];
  process.env['DEBIAN_FRONTEND'] = 'noninteractive';
  if (show('apt-get', install) !== 0 && (show('apt-get', ['-qq', 'update']) !== 0 || show('apt-get', install) !== 0)) {
    return `Debian packages could not be installed: ${advice}`;
  }
  return undefined;
}

/** @param {string} name */
function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${db:Status-Status}`, name], { encoding: 'utf8' });
  return stdout === 'installed';
}
