// What a guest is made of: a kernel with its modules, QEMU, virtiofsd, the first file system, and packages that this machine lacks.
// All of it comes from Debian's archive and lies in a cache folder; nothing is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Archive, cacheFolder, debianRelease } from '../../.scripts/debian.mjs';
import { cpio, directory, file } from './cpio.mjs';

/** Raised whenever what lies in the cache changes its form. */
const FORM = '1';
/** What programs in the guest need of its root; the same packages as on the host, which is what the guest's root is. */
const GUEST_PACKAGES = ['busybox-static', 'dbus', 'kmod', 'systemd'];
/** For the root under an overlay, and for the guest's output; what is built in is left out by modprobe. */
const MODULES = ['virtio_pci', 'virtiofs', 'overlay', 'virtio_console'];
const VIRTIOFSD = ['usr/libexec/virtiofsd', 'usr/lib/qemu/virtiofsd'];

/**
 * @typedef {object} Parts
 * @property {string} folder where all of it is
 * @property {string} kernel
 * @property {string} modules the folder for /lib/modules/VERSION
 * @property {Buffer} initramfs a cpio archive
 * @property {string[]} qemu the command and its first arguments
 * @property {string} libraries of QEMU and virtiofsd, for LD_LIBRARY_PATH
 * @property {string} virtiofsd
 * @property {string | undefined} extra packages for the guest's root that the host lacks
 */

/** Fetches what is not in the cache: some 130 MB, once. Throws an error that says why there can be no guest here. @returns {Parts} */
export function guestParts() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`the guest kernel is for Linux on x86-64; this is ${process.platform} on ${process.arch}`);
  }
  const key = createHash('sha256').update(`${FORM} ${existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''}`);
  const folder = join(cacheFolder(), `guest-${key.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) {
    console.error('Fetching a guest kernel and QEMU from Debian …');
    const unpacked = `${folder}.${process.pid}`;
    try {
      fetchParts(unpacked);
      rmSync(folder, { recursive: true, force: true });
      renameSync(unpacked, folder);
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  }
  return partsIn(folder);
}

/** @param {string} folder */
function fetchParts(folder) {
  const release = debianRelease() ?? 'stable';
  // The emulation of QEMU 10 runs system calls and forks up to 2.5 times as fast as that of bookworm's 7.2, and its kernel is 6.12.
  const newer = release === 'bookworm' ? 'bookworm-backports' : release;
  const archive = new Archive(folder, [...new Set([release, newer])]);
  try {
    archive.unpack(kernelPackages(archive, newer), join(folder, 'kernel'));
    archive.unpackWithDependencies([`qemu-system-x86/${newer}`], join(folder, 'qemu'));
    if (existing('/', VIRTIOFSD) === undefined) {
      // Bookworm's is a part of QEMU 7.2; later ones are a package of their own.
      archive.unpackWithDependencies([release === 'bookworm' ? `qemu-system-common/${release}` : 'virtiofsd'], join(folder, 'virtiofsd'));
    }
    const missing = GUEST_PACKAGES.filter((name) => spawnSync('dpkg-query', ['-s', name]).status !== 0);
    if (missing.length > 0) {
      archive.unpackWithDependencies(missing, join(folder, 'guest'));
    }
  } finally {
    archive.dispose();
  }
  prepareKernel(folder);
}

/** The kernel for virtual machines; newer suites have its modules in a package of their own. @param {Archive} archive @param {string} suite */
function kernelPackages(archive, suite) {
  const image = archive.dependencies(`linux-image-cloud-amd64/${suite}`).find((name) => name.startsWith('linux-image-'));
  if (image === undefined) {
    throw new Error(`linux-image-cloud-amd64 of ${suite} names no kernel`);
  }
  return [image, ...archive.dependencies(image).filter((name) => /^linux-(binary|modules)-/.test(name))];
}

/** Lists the modules' dependencies, and makes the first file system. @param {string} folder */
function prepareKernel(folder) {
  const kernel = join(folder, 'kernel');
  // A merged /usr in newer suites.
  const modules = existing(kernel, ['lib/modules', 'usr/lib/modules']) ?? '';
  const version = readdirSync(modules)[0] ?? '';
  const base = join(modules, '../..');
  const path = {
    ...process.env,
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin:${join(folder, 'guest/sbin')}:${join(folder, 'guest/usr/sbin')}`,
  };
  run('depmod', ['-b', base, version], path);
  const needed = MODULES.map(
    (name) => spawnSync('modprobe', ['-d', base, '-S', version, '--show-depends', name], { encoding: 'utf8', env: path }).stdout,
  );
  const files = [...needed.join('').matchAll(/^insmod (\S+)/gm)].map((match) => match[1] ?? '');
  const loaded = [...new Set(files)].map((name, index) => file(`modules/${String(index).padStart(2, '0')}.ko`, decompressed(name)));
  const busybox = existing('/', ['bin/busybox', 'usr/bin/busybox']) ?? existing(join(folder, 'guest'), ['bin/busybox', 'usr/bin/busybox']);
  if (busybox === undefined) {
    throw new Error('busybox-static holds no busybox');
  }
  const directories = ['bin', 'dev', 'proc', 'sys', 'root', 'shares', 'modules'].map((name) => directory(name));
  const init = file('init', readFileSync(join(import.meta.dirname, 'initramfs.sh')), 0o755);
  writeFileSync(join(folder, 'initramfs.cpio'), cpio([...directories, file('bin/busybox', readFileSync(busybox), 0o755), init, ...loaded]));
}

/** @param {string} name */
function decompressed(name) {
  if (name.endsWith('.ko')) {
    return readFileSync(name);
  }
  const tool = name.endsWith('.xz') ? 'xz' : 'zstd';
  return spawnSync(tool, ['-dc', name], { maxBuffer: 1 << 28 }).stdout;
}

/** @param {string} folder @returns {Parts} */
function partsIn(folder) {
  const kernel = join(folder, 'kernel');
  const modules = existing(kernel, ['lib/modules', 'usr/lib/modules']) ?? '';
  const image = readdirSync(join(kernel, 'boot')).find((name) => name.startsWith('vmlinuz'));
  const qemu = existing(folder, ['qemu/usr/bin/qemu-system-x86_64']);
  const virtiofsd = existing('/', VIRTIOFSD) ?? existing(join(folder, 'virtiofsd'), VIRTIOFSD);
  if (!image || !virtiofsd) {
    throw new Error(`${folder} is not whole; remove it and try again`);
  }
  const guest = join(folder, 'guest');
  return {
    folder,
    kernel: join(kernel, 'boot', image),
    modules: join(modules, readdirSync(modules)[0] ?? ''),
    initramfs: readFileSync(join(folder, 'initramfs.cpio')),
    // Where this machine has that version already, nothing was unpacked.
    qemu: qemu ? [qemu, '-L', join(folder, 'qemu/usr/share/qemu'), '-L', join(folder, 'qemu/usr/share/seabios')] : ['qemu-system-x86_64'],
    libraries: ['qemu', 'virtiofsd'].map((name) => join(folder, name, 'usr/lib/x86_64-linux-gnu')).join(':'),
    virtiofsd,
    extra: existsSync(guest) ? guest : undefined,
  };
}

/** @param {string} base @param {string[]} names */
function existing(base, names) {
  return names.map((name) => join(base, name)).find((path) => existsSync(path));
}

/** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} env */
function run(command, args, env) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', env });
  if (error || status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
  }
}
