/** podman under systemd, which makes the cgroups of its pods: play kube, and checkpoints. Made by hand, a pod's cgroup allows no device (podman 4.3). */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtCommand, command, describeWith } from '../../../.scripts/jest/requirement.ts';
import { staticBusybox } from '../bundle.ts';
import { until } from '../cli.ts';
import { runtimePath } from './compare.ts';
import { makeImage } from './image.ts';

// A guest kernel is slow.
jest.setTimeout(600_000);

const POD = `apiVersion: v1
kind: Pod
metadata: {name: kube}
spec:
  hostNetwork: true
  restartPolicy: Never
  containers:
  - {name: first, image: localhost/busybox, command: [/bin/sleep, "1000"], resources: {limits: {memory: 64Mi}}}
  - {name: second, image: localhost/busybox, command: [/bin/sh, -c, "echo hello; exec /bin/sleep 1000"]}
`;
const COUNT = 'i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.2; done';

describeWith([command('podman'), command('runc'), staticBusybox, builtCommand('tsrun')], 'podman under systemd', () => {
  let directory: string;
  beforeAll(() => {
    // Its cache there is the machine's own, and another podman may be at work on it.
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/var/lib/containers']);
    directory = mkdtempSync('/tmp/podman-kube-');
    makeImage(directory);
    writeFileSync(join(directory, 'containers.conf'), '[engine]\ninfra_image = "localhost/busybox"\n[containers]\npids_limit = 0\n');
    writeFileSync(join(directory, 'pod.yaml'), POD);
    ok('runc', 'import', '--quiet', '--change', 'CMD ["sleep","1000"]', join(directory, 'rootfs.tar'), 'busybox');
  });
  afterAll(() => {
    podman('runc', 'rm', '--all', '--force', '--time', '0');
    rmSync(directory, { recursive: true, force: true });
    execFileSync('umount', ['/var/lib/containers']);
  });

  function podman(runtime: 'runc' | 'tsrun', ...words: string[]) {
    const places = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--tmpdir', join(directory, 'tmp')];
    const settings = ['--storage-driver', 'vfs', '--cgroup-manager', 'systemd', '--events-backend', 'file'];
    return spawnSync('podman', [...places, ...settings, '--runtime', runtimePath(runtime), ...words], {
      encoding: 'utf8',
      timeout: 300_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', CONTAINERS_CONF: join(directory, 'containers.conf') },
    });
  }

  function ok(runtime: 'runc' | 'tsrun', ...words: string[]): string {
    const { status, stdout, stderr } = podman(runtime, ...words);
    if (status !== 0) throw new Error(`${words.join(' ')} (${runtime}): exit status ${status}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  it('plays a pod, the same with both runtimes', () => {
    const seen = (['runc', 'tsrun'] as const).map((runtime) => {
      ok(runtime, 'play', 'kube', join(directory, 'pod.yaml'));
      const limit = ok(runtime, 'exec', 'kube-first', '/bin/cat', '/sys/fs/cgroup/memory.max');
      const list = ok(runtime, 'ps', '--filter', 'name=kube-(first|second)', '--sort', 'names', '--format', '{{.Names}} {{.Status}}');
      // Not since when.
      const states = list.replaceAll(/ Up .*$/gm, ' Up');
      until(() => podman(runtime, 'logs', 'kube-second').stdout !== '', 'output of a container', 60_000);
      const log = ok(runtime, 'logs', 'kube-second');
      ok(runtime, 'play', 'kube', '--down', join(directory, 'pod.yaml'));
      return { limit, states, log, left: ok(runtime, 'ps', '--all', '--quiet') };
    });
    expect(seen[1]).toEqual({ limit: '67108864', states: 'kube-first Up\nkube-second Up', log: 'hello', left: '' });
    expect(seen[1]).toEqual(seen[0]);
  });

  it('checkpoints a container and restores it', () => {
    ok('tsrun', 'run', '--detach', '--name', 'c', '--network', 'none', 'localhost/busybox', 'sh', '-c', COUNT);
    ok('tsrun', 'exec', 'c', 'sh', '-c', 'until test -s /count; do sleep 0.1; done');
    ok('tsrun', 'container', 'checkpoint', '--keep', 'c');
    expect(ok('tsrun', 'inspect', '--format', '{{.State.Checkpointed}} {{.State.Running}}', 'c')).toBe('true false');
    ok('tsrun', 'container', 'restore', 'c');
    const count = () => Number(ok('tsrun', 'exec', 'c', 'cat', '/count') || 0);
    const before = count();
    ok('tsrun', 'exec', 'c', 'sh', '-c', `until test "$(cat /count)" -gt ${before + 1}; do sleep 0.1; done`);
    expect(ok('tsrun', 'inspect', '--format', '{{.State.Restored}} {{.State.Running}}', 'c')).toBe('true true');
    ok('tsrun', 'rm', '--force', '--time', '0', 'c');
  });
});
