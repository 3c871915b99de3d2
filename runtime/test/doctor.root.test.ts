/** What `doctor` says of this host, and of one that is crippled for it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Diagnosis } from '../src/operations/doctor/doctor.ts';
import { type Cli, commandPath, describeBothEngines } from './cli.ts';

const mountsHere = (): string[] => readFileSync('/proc/self/mountinfo', 'utf8').split('\n');

const UNIFIED = existsSync('/sys/fs/cgroup/cgroup.controllers');
const HIERARCHY = UNIFIED ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';

describeBothEngines('doctor', (cli) => {
  const diagnose = (): Diagnosis => JSON.parse(cli().ok(['doctor', '--format', 'json']));

  it('finds that containers can run here, as they do', () => {
    const { healthy, privileged, findings } = diagnose();
    expect([healthy, privileged]).toEqual([true, true]);
    const verdict = (area: string, subject: string) =>
      findings.find((finding) => finding.area === area && finding.subject === subject)?.verdict;
    expect(verdict('kernel', 'system calls')).toBe('ok');
    expect(verdict('namespaces', 'pid')).toBe('ok');
    expect(verdict('cgroups', 'hierarchy')).toBe(UNIFIED ? 'ok' : 'limited');
    for (const finding of findings)
      if (finding.verdict !== 'ok') expect(finding).toMatchObject({ message: expect.any(String), remedy: expect.any(String) });
  });

  it('says it to people, with what mends it', () => {
    const text = cli().ok(['doctor']);
    expect(text).toMatch(/^Containers on this host, for root\n\nkernel\n {2}ok {7}system calls /);
    if (!UNIFIED) expect(text).toMatch(/LIMITED {2}hierarchy .*hybrid.*\n +→ .*systemd\.unified_cgroup_hierarchy=1/);
  });

  it('leaves nothing of what it tries', () => {
    const mounts = mountsHere();
    const control = readFileSync(`${HIERARCHY}/cgroup.subtree_control`, 'utf8');
    diagnose();
    expect(mountsHere().filter((mount) => !mounts.includes(mount))).toEqual([]);
    expect(readFileSync(`${HIERARCHY}/cgroup.subtree_control`, 'utf8')).toBe(control);
    expect(readdirSync(HIERARCHY).filter((name) => name.startsWith('tsrun-doctor'))).toEqual([]);
    expect(existsSync('/tmp/merged')).toBe(false);
  });

  it('finds out what forbids a user namespaces, and ends with status 1', () => {
    const { status, stdout } = inNamespace(cli(), 'echo 0 > /proc/sys/user/max_user_namespaces');
    const { healthy, findings }: Diagnosis = JSON.parse(stdout);
    expect([status, healthy]).toEqual([1, false]);
    expect(findings.find(({ subject }) => subject === 'user')).toMatchObject({
      verdict: 'missing',
      message: 'the sysctl user.max_user_namespaces = 0 forbids them to users',
      remedy: 'sysctl -w user.max_user_namespaces=15000',
    });
  });

  it('knows no other format', () => {
    expect(cli().run(['doctor', '--format', 'table']).stderr).toContain('invalid format option "table": it is text or json');
  });
});

/** Root of a user namespace is a user to the runtime, and has limits of its own that can be changed. */
function inNamespace({ command }: Cli, script: string): { readonly status: number | null; readonly stdout: string } {
  expect([commandPath('tsrun'), commandPath('tsrun-node')]).toContain(command);
  const words = ['--user', '--map-root-user', 'sh', '-c', `${script} && exec "$0" doctor --format json`, command];
  const { status, stdout } = spawnSync('unshare', words, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  return { status, stdout };
}
