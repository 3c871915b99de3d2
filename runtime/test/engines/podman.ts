/** podman with storage, state and settings of its own, and one image: `localhost/busybox`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, type RuntimeName, runtimePath } from './compare.ts';
import { Enclosure, settleUser, type User } from './enclosure.ts';
import { makeImage } from './image.ts';

export const podmanUser: User = { name: 'engineuser', uid: 54_321 };

/** No limits but those that a test sets: a hybrid machine has no controllers for them, and root may be unable to raise a limit. */
const SETTINGS = `
[containers]
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
infra_image = "localhost/busybox"
`;

/** A view of /etc/containers that can be written to. */
const OWN_SETTINGS = `
  cp -a /etc/containers /run/containers-settings
  mkdir -p /run/containers-settings/containers.conf.d
  mount --bind /run/containers-settings /etc/containers
`;

export function startPodman(runtime: RuntimeName): { readonly enclosure: Enclosure; readonly engine: Engine } {
  const enclosure = new Enclosure(settleUser(podmanUser) + OWN_SETTINGS);
  const settings = join(enclosure.directory, 'containers.conf');
  writeFileSync(settings, SETTINGS);
  const words = [...podman(enclosure.directory), '--runtime', runtimePath(runtime)];
  const engine: Engine = { command: (line) => [...words, ...line], env: { CONTAINERS_CONF: settings } };
  const { tar } = makeImage(enclosure.directory);
  const { status, stderr } = enclosure.run(engine.command(['import', '--quiet', '--change', 'CMD ["sleep","1000"]', tar, 'busybox']), {
    env: { CONTAINERS_CONF: settings },
  });
  if (status !== 0) throw new Error(`podman import: ${stderr}`);
  return { enclosure, engine };
}

/** The command with its places, and without a runtime. */
export function podman(directory: string): readonly string[] {
  const places = ['--root', join(directory, 'storage'), '--runroot', '/run/podman', '--tmpdir', '/run/podman-tmp'];
  return ['podman', ...places, '--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'];
}

/** The file that names a runtime once for all of podman, as it is documented. */
export function dropIn(path: string): string {
  return `${SETTINGS}runtime = "tsrun"\n[engine.runtimes]\ntsrun = ["${path}"]\n`;
}
