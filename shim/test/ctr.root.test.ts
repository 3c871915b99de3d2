/** The shim under real containerds, as ctr sees it. */
import { builtCommand, command, describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { busyboxRequirement, Containerd, findContainerds, sleep, until } from './containerd.ts';

const NEEDS = [rootUser, builtCommand('containerd-shim-tsrun-v2'), busyboxRequirement, command('nsenter'), command('unshare')];
jest.setTimeout(120_000);

for (const binaries of findContainerds()) {
  describeWith([...NEEDS, binaries.requirement], `containerd ${binaries.name}`, () => {
    let containerd: Containerd;

    beforeAll(async () => {
      containerd = new Containerd(binaries);
      await containerd.start();
    });

    afterAll(() => containerd.dispose());

    it('runs a program and gives back what it says and how it ends', () => {
      expect(containerd.ctrRun(['--rm'], 'hello', '/bin/echo', 'hello')).toMatchObject({ status: 0, stdout: 'hello\n' });
      expect(containerd.ctrRun(['--rm'], 'seven', '/bin/sh', '-c', 'echo bad >&2; exit 7')).toMatchObject({ status: 7 });
    });

    it('uses one process for all containers of a namespace', async () => {
      for (const id of ['one', 'two']) expect(containerd.ctrRun(['-d'], id, '/bin/sleep', '1000')).toMatchObject({ status: 0 });
      // One that had just ended for want of containers may still be closing what it has.
      await until(() => containerd.shims().length === 1);
      expect(containerd.shims()).toHaveLength(1);
      for (const id of ['one', 'two']) {
        expect(containerd.ctr('task', 'rm', '-f', id).status).not.toBeNull();
        expect(containerd.ctr('container', 'rm', id)).toMatchObject({ status: 0 });
      }
    });

    it('uses one for each pod where its environment says so', async () => {
      const grouped = new Containerd(binaries, { environment: { TSRUN_SHIM_GROUP: 'pod' } });
      try {
        await grouped.start();
        const pods = { one: 'a', two: 'a', three: 'b' };
        for (const [id, pod] of Object.entries(pods)) {
          const options = ['-d', '--annotation', `io.containerd.runc.v2.group=${pod}`];
          expect(grouped.ctrRun(options, id, '/bin/sleep', '1000')).toMatchObject({ status: 0 });
        }
        expect(grouped.shims()).toHaveLength(2);
        for (const id of Object.keys(pods)) {
          expect(grouped.ctr('task', 'exec', '--exec-id', 'e', id, '/bin/echo', 'inside')).toMatchObject({ status: 0, stdout: 'inside\n' });
          expect(grouped.ctr('task', 'rm', '-f', id).status).not.toBeNull();
        }
        await until(() => grouped.shims().length === 0);
      } finally {
        await grouped.dispose();
      }
    });

    it('does what ctr task can do, and publishes it in order', async () => {
      const events = containerd.spawnCtr('events');
      let text = '';
      events.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      // It hears nothing of what was before it.
      for (let turn = 0; turn < 100 && !text.includes('/namespaces/update'); turn++) {
        containerd.ctr('namespaces', 'label', 'default', `turn=${turn}`);
        await sleep(50);
      }
      expect(containerd.ctrRun(['-d'], 'c1', '/bin/sleep', '1000')).toMatchObject({ status: 0 });
      const status = () => /^c1\s+\d+\s+(\w+)/m.exec(containerd.ctr('task', 'ls').stdout)?.[1];
      expect(status()).toBe('RUNNING');
      expect(containerd.ctr('task', 'exec', '--exec-id', 'e1', 'c1', '/bin/echo', 'inside')).toMatchObject({
        status: 0,
        stdout: 'inside\n',
      });
      expect(containerd.ctr('task', 'exec', '--exec-id', 'e2', 'c1', '/bin/sh', '-c', 'exit 5')).toMatchObject({ status: 5 });
      expect(containerd.ctr('task', 'pause', 'c1')).toMatchObject({ status: 0 });
      expect(status()).toBe('PAUSED');
      expect(containerd.ctr('task', 'resume', 'c1')).toMatchObject({ status: 0 });
      expect(containerd.ctr('task', 'ps', 'c1').stdout).toMatch(/^\d+/m);
      expect(containerd.ctr('task', 'metrics', 'c1')).toMatchObject({ status: 0 });
      expect(containerd.ctr('task', 'kill', '-s', 'SIGKILL', 'c1')).toMatchObject({ status: 0 });
      await until(() => status() === 'STOPPED');
      expect(status()).toBe('STOPPED');
      containerd.ctr('task', 'rm', 'c1');
      expect(containerd.ctr('container', 'rm', 'c1')).toMatchObject({ status: 0 });
      await until(() => text.includes('/tasks/delete'));
      events.kill();
      const topics = [...text.matchAll(/ (\/tasks\/\S+) \{"container_id":"c1"/g)].map(([, topic]) => topic);
      const exec = ['/tasks/exec-added', '/tasks/exec-started', '/tasks/exit'];
      expect(topics).toEqual([
        ...['/tasks/create', '/tasks/start', ...exec, ...exec, '/tasks/paused', '/tasks/resumed', '/tasks/exit', '/tasks/delete'],
      ]);
      expect(text).toContain('"exit_status":137');
      expect(text).toContain('"exit_status":5');
    });

    it('says what is wrong with a program or a bundle, and leaves nothing', () => {
      const { status, stderr } = containerd.ctrRun(['--rm'], 'missing', '/bin/nonexistent');
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/OCI runtime create failed.*\/bin\/nonexistent/);
      expect(containerd.ctr('task', 'ls').stdout).not.toContain('missing');
      containerd.ctr('container', 'rm', 'missing');
    });

    it('loses no container of a shim that is killed: containerd hears of the end, and the next one starts anew', async () => {
      expect(containerd.ctrRun(['-d', '--null-io'], 'orphan', '/bin/sleep', '1000')).toMatchObject({ status: 0 });
      await until(() => containerd.shims().length === 1);
      const [shim = 0] = containerd.shims();
      process.kill(shim, 'SIGKILL');
      await until(() => !containerd.ctr('task', 'ls').stdout.includes('RUNNING'));
      expect(containerd.ctr('task', 'ls').stdout).not.toContain('RUNNING');
      containerd.ctr('task', 'rm', '-f', 'orphan');
      expect(containerd.ctr('container', 'rm', 'orphan')).toMatchObject({ status: 0 });
      expect(containerd.ctrRun(['--rm'], 'next', '/bin/echo', 'next')).toMatchObject({ status: 0, stdout: 'next\n' });
    });

    it('leaves nothing behind', async () => {
      expect(await containerd.leftovers()).toEqual([]);
    });
  });
}
