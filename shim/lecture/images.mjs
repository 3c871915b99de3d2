// The images of the lecture: a Debian base called ubuntu, busybox, a web server that also answers over UDP, and a clock.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A minimal Debian, made once and kept. @param {string} folder @returns {string} the archive's path */
export function makeDebianArchive(folder) {
  const archive = join(folder, 'debian.tar');
  if (existsSync(archive)) return archive;
  mkdirSync(folder, { recursive: true });
  process.stdout.write('Making a Debian base (once) …\n');
  // From one archive alone: what is installed later in the lecture comes from there too.
  const words = ['--quiet', '--variant=essential', '--include=apt', 'stable', `${archive}.new.tar`, 'http://deb.debian.org/debian'];
  const { status } = spawnSync('mmdebstrap', words, { stdio: 'inherit' });
  if (status !== 0) throw new Error('mmdebstrap could not make a Debian base');
  renameSync(`${archive}.new.tar`, archive);
  return archive;
}

/** A root file system of the static busybox. @param {string} folder @returns {string} the archive's path */
export function makeBusyboxArchive(folder) {
  const root = join(folder, 'busybox');
  for (const name of ['bin', 'etc', 'root', 'tmp']) mkdirSync(join(root, name), { recursive: true });
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  run('chroot', [root, '/bin/busybox', '--install', '-s', '/bin']);
  const archive = join(folder, 'busybox.tar');
  run('tar', ['-C', root, '-cf', archive, '.']);
  return archive;
}

/** TCP on 80 and UDP on 1194, in what every Debian has. */
export const SERVER = `use strict; use IO::Socket::INET; use IO::Select; $| = 1;
my $tcp = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die $!;
my $udp = IO::Socket::INET->new(LocalPort => 1194, Proto => 'udp') or die $!;
print "ready\\n";
my $all = IO::Select->new($tcp, $udp);
while (my @ready = $all->can_read) { for my $one (@ready) {
  if ($one == $tcp) { my $c = $tcp->accept; my $line = <$c>; print $c "HTTP/1.0 200 OK\\r\\n\\r\\nIt works!\\n"; close $c; }
  else { my $from = $udp->recv(my $text, 1024); $udp->send("pong $text", 0, $from); }
} }
`;

/** @param {string} command @param {string[]} args */
export function run(command, args) {
  const { status, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}
