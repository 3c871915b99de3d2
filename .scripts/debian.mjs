// Packages from Debian's archive, unpacked into a folder beside the system. Root is not needed; apt checks the signatures.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Where what has been fetched stays. */
export function cacheFolder() {
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tsrun');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    return join(resolve(import.meta.dirname, '..'), 'node_modules/.cache/tsrun');
  }
}

/** This machine's release, such as `bookworm`. @returns {string | undefined} undefined if it is not Debian */
export function debianRelease() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(.*)$/m.exec(text)?.[1] : undefined;
}

/** The mirror that this machine uses already. */
function debianMirror() {
  if (spawnSync('apt-get', ['--version']).error || !existsSync(KEYRING) || debianRelease() === undefined) {
    throw new Error('this is not Debian');
  }
  const folder = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])];
  const texts = files.filter((name) => existsSync(name)).map((name) => readFileSync(name, 'utf8'));
  const addresses = texts.flatMap((text) =>
    [...text.matchAll(/^(?:deb\s+(?:\[[^\]]*\]\s*)?|URIs:\s*)(\S+)/gm)].map((match) => match[1] ?? ''),
  );
  const main = addresses.filter((address) => !address.includes('security'));
  const mirror = main.find((address) => address.includes('debian')) ?? main[0];
  if (!mirror) {
    throw new Error('apt has no source of Debian packages on this machine');
  }
  return mirror;
}

/** A private state of apt with suites of its own, so that they never reach the machine's package lists. `dispose` removes it. */
export class Archive {
  #folder;
  /** @type {string[]} */
  #options;

  /** @param {string} parent the folder in which the state lies for the time being @param {string[]} suites such as `sid` */
  constructor(parent, suites) {
    const mirror = debianMirror();
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, 'fetch-'));
    this.#folder = folder;
    for (const name of ['lists/partial', 'cache/archives/partial', 'state']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const lines = suites.map((suite) => `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
    writeFileSync(join(folder, 'sources.list'), lines.join(''));
    const settings = {
      'Dir::Etc::sourcelist': join(folder, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::Etc::preferencesparts': '-',
      'Dir::State::lists': join(folder, 'lists'),
      'Dir::Cache': join(folder, 'cache'),
      'Acquire::Languages': 'none',
      'Acquire::Retries': '2',
      'APT::Sandbox::User': '',
      'Debug::NoLocking': 'true',
    };
    this.#options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    try {
      this.#run('apt-get', ['-qq', ...this.#options, 'update']);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** The packages that a package depends on, by name. @param {string} name */
  dependencies(name) {
    const text = this.#run('apt-cache', [...this.#options, 'depends', name]);
    return [...text.matchAll(/^ *Depends: ([^ <\n]+)/gm)].map((match) => match[1] ?? '');
  }

  /** Unpacks packages (`name` or `name/suite`) into a folder, without what they depend on. @param {string[]} packages @param {string} target */
  unpack(packages, target) {
    this.#run('apt-get', ['-qq', ...this.#options, 'download', ...packages]);
    this.#unpackFrom(this.#folder, target);
  }

  /** The same with all that they depend on and this machine lacks. @param {string[]} packages @param {string} target */
  unpackWithDependencies(packages, target) {
    const install = ['-qq', '-y', '--no-install-recommends', '--download-only', 'install'];
    this.#run('apt-get', [...this.#options, ...install, ...packages]);
    this.#unpackFrom(join(this.#folder, 'cache/archives'), target);
  }

  dispose() {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param {string} folder @param {string} target */
  #unpackFrom(folder, target) {
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb'))) {
      this.#run('dpkg-deb', ['-x', join(folder, name), target]);
      rmSync(join(folder, name));
    }
  }

  /** @param {string} command @param {string[]} args */
  #run(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.#folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (error || status !== 0) {
      const text = error ? String(error) : stderr;
      throw new Error(text.split('\n').find((line) => /^E:|error/i.test(line)) ?? `${command} failed: ${text.split('\n')[0]}`);
    }
    return stdout;
  }
}
