// The Debian packages that the tests use, and what for. A test whose tool is missing says so and is counted as skipped.

/** @type {Record<string, string>} */
export const DEBIAN_PACKAGES = {
  gcc: 'compiles the native command and small test programs',
  'libc6-dev': 'the headers and the static C library for them',
  binutils: 'assembles the init agent, to compare it with the committed bytes',
  'binutils-aarch64-linux-gnu': 'the same for the other architecture',
  'qemu-user-static': 'runs the init agent of the other architecture',
  'busybox-static': 'fills the root file systems of test containers',
  runc: 'the runtime to be compared with: state files, messages, exit codes',
  crun: 'another runtime to be compared with',
  strace: 'shows which system calls a command makes',
  uidmap: 'newuidmap and newgidmap, for rootless containers',
  libseccomp2: 'compiles seccomp profiles at run time',
  libsystemd0: 'talks to systemd at run time',
  'libcap2-bin': 'shows the capabilities of a process',
  iproute2: 'network namespaces and devices',
  procps: 'ps, as in tsrun ps',
  skopeo: 'reads and writes the image store as a peer',
  umoci: 'unpacks from the image store as a peer',
  'docker-registry': 'a real registry on loopback',
  'apache2-utils': 'htpasswd, for its logins',
  openssl: 'certificates of our own for its TLS',
  zstd: 'writes zstd layers where Node cannot',
  'ca-certificates': 'certificates for tests of registries over TLS',
};
