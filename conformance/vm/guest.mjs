// A guest kernel that runs one command, in this machine's files, with a unified cgroup hierarchy.
import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { freemem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpio, directory, file } from './cpio.mjs';
import { guestParts } from './parts.mjs';

/**
 * @typedef {object} Job
 * @property {string[]} command as root, in this process's working directory and environment
 * @property {boolean} [systemd] systemd is process 1, and the command a service of it
 * @property {string[]} [writable] folders that are shared with the host; what is written elsewhere is gone with the guest
 * @property {number | undefined} [timeoutSeconds] none if not given
 * @property {number | undefined} [memoryMiB]
 * @property {number | undefined} [cpus]
 * @property {number} [stdout] a file descriptor
 * @property {number} [stderr] a file descriptor
 */

/**
 * `status` is the command's (128 and the signal, as in a shell), or undefined if the guest came to no end: then `problem` says why.
 * @typedef {{ status: number | undefined, problem: string, timedOut: boolean, console: string }} End
 */

/**
 * `covered`: read-only, under a tmpfs. `live`: shared.
 * @typedef {{ tag: string, kind: 'root' | 'packages' | 'covered' | 'live', path: string }} Share
 */

const project = resolve(import.meta.dirname, '../..');
const hasKvm = isUsable('/dev/kvm');
const SOCKET_DEADLINE_MS = 20_000;
const LAST_LINES = 40;

/** Throws an error where there can be no guest, and says why. @param {Job} job @returns {Promise<End>} */
export async function runGuest(job) {
  if (process.getuid?.() !== 0) {
    throw new Error('the guest needs root: its files are those of the host');
  }
  const parts = guestParts();
  const folder = mkdtempSync('/var/tmp/tsrun-guest-');
  /** @type {import('node:child_process').ChildProcess[]} */
  const children = [];
  const end = () => {
    for (const child of children) {
      child.kill('SIGKILL');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const onSignal = () => {
    end();
    process.exit(1);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  try {
    const shares = sharesOf(job, parts);
    writeFileSync(join(folder, 'initrd'), Buffer.concat([parts.initramfs, jobArchive(job, shares, parts)]));
    for (const share of shares) {
      children.push(serve(share, folder, parts));
    }
    await allSockets(shares, folder);
    const { child, ended } = startQemu(job, shares, folder, parts);
    children.push(child);
    return endOf(await ended, job, folder);
  } finally {
    end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
  }
}

/** The root, and each folder that the command needs and that lies on a file system of its own. @param {Job} job @param {import('./parts.mjs').Parts} parts @returns {Share[]} */
function sharesOf(job, parts) {
  const device = statSync('/').dev;
  const covered = [...new Set([project, process.cwd(), parts.folder].map((path) => realpathSync(path)))].filter(
    (path) => statSync(path).dev !== device,
  );
  /** @type {Omit<Share, 'tag'>[]} */
  const all = [
    { kind: 'root', path: '/' },
    ...(parts.extra ? [{ kind: /** @type {const} */ ('packages'), path: parts.extra }] : []),
    ...covered.map((path) => ({ kind: /** @type {const} */ ('covered'), path })),
    ...(job.writable ?? []).map((path) => ({ kind: /** @type {const} */ ('live'), path: realpathSync(path) })),
  ];
  return all.map((share, index) => ({ ...share, tag: `host${index}` }));
}

/** What the guest's init reads, as the second half of its initramfs. @param {Job} job @param {Share[]} shares @param {import('./parts.mjs').Parts} parts */
function jobArchive(job, shares, parts) {
  const carried = [project, process.cwd(), parts.folder].map((path) => realpathSync(path)).filter((path) => path.startsWith('/tmp/'));
  const outermost = [...new Set(carried)].filter((path) => !carried.some((other) => path.startsWith(`${other}/`)));
  const environment = Object.entries(process.env).filter(
    ([name]) => /^[A-Za-z_]\w*$/.test(name) && !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name),
  );
  const command = [
    ...environment.map(([name, value]) => `export ${name}=${quoted(value ?? '')}`),
    `cd ${quoted(process.cwd())} || exit 126`,
    `exec ${job.command.map(quoted).join(' ')}`,
  ];
  return cpio([
    directory('job'),
    file('job/init.sh', readFileSync(join(import.meta.dirname, 'init.sh'))),
    file('job/command.sh', lines(command)),
    file('job/shares', lines(shares.map(({ tag, kind, path }) => `${tag} ${kind} ${path}`))),
    file('job/carried-paths', lines(outermost)),
    file('job/settings', lines([`SYSTEMD=${job.systemd ? 'yes' : 'no'}`, `MODULES=${quoted(parts.modules)}`])),
  ]);
}

/** virtiofsd: in a mount namespace with a read-only view of what is not to be written, whatever the guest may try. @param {Share} share @param {string} folder @param {import('./parts.mjs').Parts} parts */
function serve({ tag, kind, path }, folder, parts) {
  const view = join(folder, tag);
  mkdirSync(view);
  const isLive = kind === 'live';
  const options = `source=${view},cache=${isLive ? 'auto' : 'always'},sandbox=chroot,xattr`;
  const protect = isLive ? '' : 'mount -o remount,bind,ro "$1" &&';
  const script = `mount --bind "$0" "$1" && ${protect} exec "$2" --socket-path="$1.sock" -o "$3"`;
  const args = ['-m', '--propagation', 'private', 'sh', '-c', script, path, view, parts.virtiofsd, options];
  return spawn('unshare', args, { stdio: 'ignore', env: { ...process.env, LD_LIBRARY_PATH: parts.libraries } });
}

/** @param {Share[]} shares @param {string} folder */
async function allSockets(shares, folder) {
  const deadline = Date.now() + SOCKET_DEADLINE_MS;
  while (!shares.every(({ tag }) => existsSync(join(folder, `${tag}.sock`)))) {
    if (Date.now() > deadline) {
      throw new Error('virtiofsd does not answer: it needs root with CAP_SYS_ADMIN');
    }
    await sleep(10);
  }
}

/** @param {Job} job @param {Share[]} shares @param {string} folder @param {import('./parts.mjs').Parts} parts */
function startQemu(job, shares, folder, parts) {
  const memory = job.memoryMiB ?? Math.max(1024, Math.min(4096, Math.floor(freemem() / 2 ** 22) * 2));
  // Several processors are emulated in turns: in parallel the guest dies when its kernel patches its own code.
  const processor = hasKvm ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=single,tb-size=1024', '-cpu', 'Nehalem'];
  // How fast an emulated TSC counts is measured by the kernel at boot, and on a busy machine so wrongly that the guest's clock runs five times too fast.
  const clock = hasKvm ? 'tsc=reliable' : 'clocksource=hpet tsc=nowatchdog';
  const port = (/** @type {string} */ name, /** @type {string} */ target) => [
    '-chardev',
    `file,id=${name},${target}`,
    '-device',
    `virtserialport,chardev=${name},name=guest.${name}`,
  ];
  const args = [
    ...parts.qemu.slice(1),
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-bios', 'qboot.rom'],
    ...['-M', 'q35,smm=off,sata=off,usb=off,vmport=off,i8042=off', ...processor, '-smp', `${job.cpus ?? 1}`],
    ...['-m', `${memory}`, '-object', `memory-backend-memfd,id=memory,size=${memory}M,share=on`, '-numa', 'node,memdev=memory'],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...[
      '-add-fd',
      'fd=3,set=1',
      '-add-fd',
      'fd=4,set=2',
      ...port('out', 'path=/dev/fdset/1,append=on'),
      ...port('err', 'path=/dev/fdset/2,append=on'),
    ],
    ...port('status', `path=${join(folder, 'status')}`),
    ...['-chardev', `file,id=console,path=${join(folder, 'console')}`, '-serial', 'chardev:console'],
    ...shares.flatMap(({ tag }) => [
      ...['-chardev', `socket,id=${tag},path=${join(folder, `${tag}.sock`)}`],
      ...['-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag},queue-size=1024`],
    ]),
    ...['-kernel', parts.kernel, '-initrd', join(folder, 'initrd')],
    ...[
      '-append',
      `console=ttyS0 quiet panic=-1 mitigations=off nokaslr no_timer_check random.trust_cpu=on rcupdate.rcu_expedited=1 ${clock}`,
    ],
  ];
  const child = spawn(parts.qemu[0] ?? '', args, {
    stdio: ['ignore', 'ignore', 'pipe', job.stdout ?? 1, job.stderr ?? 2],
    env: { ...process.env, LD_LIBRARY_PATH: parts.libraries },
  });
  return { child, ended: untilEnd(child, job.timeoutSeconds) };
}

/**
 * Resolves to what QEMU said.
 * @param {import('node:child_process').ChildProcess} child @param {number | undefined} timeoutSeconds
 * @returns {Promise<{ words: string, timedOut: boolean }>}
 */
function untilEnd(child, timeoutSeconds) {
  let words = '';
  let timedOut = false;
  child.stderr?.on('data', (data) => {
    words += data;
  });
  const stop = () => {
    timedOut = true;
    child.kill('SIGKILL');
  };
  const timer = timeoutSeconds ? setTimeout(stop, timeoutSeconds * 1000) : undefined;
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`QEMU cannot be started: ${error.message}`)));
    child.once('close', () => {
      clearTimeout(timer);
      resolve({ words: timedOut ? `no end after ${timeoutSeconds} s` : words.trim(), timedOut });
    });
  });
}

/** @param {{ words: string, timedOut: boolean }} qemu @param {Job} job @param {string} folder @returns {End} */
function endOf({ words, timedOut }, job, folder) {
  const status = readOr(join(folder, 'status')).trim();
  const log = readOr(join(folder, 'console'));
  if (status !== '') {
    return { status: Number(status), problem: '', timedOut: false, console: log };
  }
  const tail = log.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  const problem = `the guest ended without an answer to: ${job.command.join(' ')}\n${words}\n${tail}`;
  return { status: undefined, problem, timedOut, console: log };
}

/** @param {string} path */
function readOr(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** @param {string[]} all */
function lines(all) {
  return all.map((line) => `${line}\n`).join('');
}

/** For a shell. @param {string} word */
function quoted(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** @param {string} path */
function isUsable(path) {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
