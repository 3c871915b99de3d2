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
infra_command = "/bin/sleep 1000"
`;

export function startPodman(runtime: RuntimeName): { readonly enclosure: Enclosure; readonly engine: Engine } {
  const enclosure = new Enclosure(settleUser(podmanUser));
  const { directory } = enclosure;
  const settings = join(directory, 'containers.conf');
  writeFileSync(settings, SETTINGS);
  const engine = podman(runtime, directory, settings);
  const { tar } = makeImage(directory);
  const { status, stderr } = enclosure.run(engine.command(['import', '--quiet', tar, 'busybox']), { env: engine.env ?? {} });
  if (status !== 0) throw new Error(`podman import: ${stderr}`);
  return { enclosure, engine };
}

function podman(runtime: RuntimeName, directory: string, settings: string): Engine {
  const places = ['--root', join(directory, 'storage'), '--runroot', '/run/podman', '--tmpdir', '/run/podman-tmp'];
  const choices = [
    '--storage-driver',
    'vfs',
    '--cgroup-manager',
    'cgroupfs',
    '--events-backend',
    'file',
    '--runtime',
    runtimePath(runtime),
  ];
  return { command: (words) => ['podman', ...places, ...choices, ...words], env: { CONTAINERS_CONF: settings } };
}
