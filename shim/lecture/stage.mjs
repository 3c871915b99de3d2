// Where the lecture is given: a loopback, a registry on it that holds the images, and data roots that nobody else has.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBusyboxArchive, run, SERVER } from './images.mjs';

export const REGISTRY = '127.0.0.1:5000';

/** @typedef {{ name: string, argv: string[], elsewhere: string[], env: Record<string, string>, folder: string, gateway: string }} Docker */

/** Of the default networks. */
const GATEWAYS = { tsctl: '10.89.0.1', podman: '10.88.0.1' };

export class Stage {
  /** @param {string} root @param {string} directory */
  constructor(root, directory) {
    this.root = root;
    this.directory = directory;
    /** @type {import('node:child_process').ChildProcess | undefined} */
    this.registry = undefined;
  }

  /** @param {string} root of the repository @param {string} directory @param {string} debian archive of the Debian base */
  static async set(root, directory, debian) {
    const stage = new Stage(root, directory);
    run('ip', ['link', 'set', 'lo', 'up']);
    // Sockets of shims lie in /run; those of the machine are not seen from here.
    run('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
    mkdirSync('/run/lock');
    await stage.startRegistry();
    stage.fillRegistry(debian);
    return stage;
  }

  async startRegistry() {
    const config = join(this.directory, 'registry.yml');
    writeFileSync(
      config,
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(this.directory, 'registry')}}}\nhttp: {addr: ${REGISTRY}}\n`,
    );
    this.registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 100; attempt++) {
      if (await answers(5000)) return;
      await sleep(100);
    }
    throw new Error('the registry does not answer');
  }

  /** @param {string} debian */
  fillRegistry(debian) {
    const tsimg = (/** @type {string[]} */ ...args) =>
      run(join(this.root, 'dist/bin/tsimg'), ['--root', join(this.directory, 'images'), '--insecure', REGISTRY, ...args]);
    const busybox = makeBusyboxArchive(this.directory);
    const names = { ubuntu: `${REGISTRY}/ubuntu:latest`, busybox: `${REGISTRY}/busybox:latest`, clock: `${REGISTRY}/clock:latest` };
    tsimg('import', debian, names.ubuntu, '-c', 'CMD ["/bin/bash"]');
    tsimg('import', busybox, names.busybox, '-c', 'CMD ["sh"]');
    tsimg('import', busybox, names.clock, '-c', 'CMD ["sh","-c","while true; do date; sleep 1; done"]');
    for (const name of Object.values(names)) tsimg('push', name);
    const context = join(this.directory, 'web');
    mkdirSync(context);
    writeFileSync(join(context, 'server.pl'), SERVER);
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM ubuntu\nLABEL subject=containers\nRUN echo built > /built\nCOPY server.pl /server.pl\nEXPOSE 80 1194/udp\nCMD ["perl", "/server.pl"]\n',
    );
  }

  /** @param {string} name @returns {Docker} */
  docker(name) {
    const folder = join(this.directory, `${name}-work`);
    mkdirSync(folder, { recursive: true });
    const env = { TSRUN_SHIM_HOME: '/run/tsrun-shim', TSCTL_INSECURE_REGISTRIES: REGISTRY, HOME: folder, TERM: 'xterm' };
    const at = (/** @type {string} */ place) => join(this.directory, `${name}-${place}`);
    if (name === 'tsctl') {
      const program = join(this.root, 'dist/bin/tsctl');
      return {
        name,
        argv: [program, '--root', at('here')],
        elsewhere: [program, '--root', at('elsewhere')],
        env,
        folder: this.directory,
        gateway: GATEWAYS.tsctl,
      };
    }
    const podman = (/** @type {string} */ place) => [
      ...['podman', '--root', at(place), '--runroot', `/run/${name}-${place}`, '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'],
      ...['--runtime', process.env['LECTURE_RUNTIME'] ?? 'runc'],
    ];
    const registries = join(this.directory, 'registries.conf');
    writeFileSync(registries, `unqualified-search-registries = ["docker.io"]\n[[registry]]\nlocation = "${REGISTRY}"\ninsecure = true\n`);
    // podman asks for a million processes and files, which root without CAP_SYS_RESOURCE cannot give.
    const limits = join(this.directory, 'containers.conf');
    writeFileSync(limits, '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n');
    return {
      name,
      argv: podman('here'),
      elsewhere: podman('elsewhere'),
      env: { ...env, CONTAINERS_REGISTRIES_CONF: registries, CONTAINERS_CONF: limits },
      folder: this.directory,
      gateway: GATEWAYS.podman,
    };
  }

  async clear() {
    this.registry?.kill();
    for (const place of ['here', 'elsewhere']) {
      // The process that holds the containers has nothing to hold any more.
      const { argv, env } = this.docker('tsctl');
      const words = [...argv.slice(1, 2), join(this.directory, `tsctl-${place}`)];
      const ids = spawnText(argv[0] ?? '', [...words, 'ps', '-aq'], env)
        .split('\n')
        .filter((id) => id !== '');
      if (ids.length > 0) spawnText(argv[0] ?? '', [...words, 'rm', '-f', ...ids], env);
    }
    await endShims(this.directory);
  }
}

/** @param {string} command @param {string[]} args @param {Record<string, string>} env */
function spawnText(command, args, env) {
  try {
    return run('env', [...Object.entries(env).map(([key, value]) => `${key}=${value}`), command, ...args]);
  } catch {
    return '';
  }
}

/** Those of this lecture's data roots, by their command lines. @param {string} directory */
async function endShims(directory) {
  const { readdirSync, readFileSync } = await import('node:fs');
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.includes('serve') && words.some((word) => word.startsWith(`${directory}/`))) process.kill(Number(pid), 'SIGTERM');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
