/** `--trace FILE`: what the time was spent on. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { args } from './bundle.ts';
import { describeBothEngines } from './cli.ts';

describeBothEngines('--trace', (cli) => {
  const file = (): string => join(cli().directory, 'trace.json');
  const names = (): string[] => JSON.parse(readFileSync(file(), 'utf8')).traceEvents.map(({ name }: { name: string }) => name);

  it('writes the phases of a run, hooks among them', () => {
    const bundle = cli().bundle(args('true'), (config) => {
      config.hooks = { createRuntime: [{ path: '/bin/true' }] };
    });
    cli().ok(['--trace', file(), 'run', '--bundle', bundle, cli().id()]);
    const found = names();
    cli().note(found.join('\n'));
    expect(found[0]).toBe('run');
    expect(found).toEqual(
      expect.arrayContaining([
        'read and check the configuration',
        'make the cgroup',
        'start init in its namespaces',
        'createRuntime hook',
        'execute',
        'wait for the end of the container',
        'remove the state directory',
      ]),
    );
  });

  it('is there for every command, after the command as well', () => {
    const id = cli().start();
    for (const words of [
      ['exec', id, 'true'],
      ['state', id],
      ['delete', '--force', id],
    ]) {
      const [command = '', ...rest] = words;
      cli().ok([command, '--trace', file(), ...rest]);
      expect(names()[0]).toBe(command);
    }
  });

  it('tells how far a command came that failed', () => {
    const bundle = cli().bundle(args('no-such-command'));
    expect(cli().run(['--trace', file(), 'run', '--bundle', bundle, cli().id()]).status).toBe(1);
    const { traceEvents } = JSON.parse(readFileSync(file(), 'utf8'));
    const failed = traceEvents.filter(({ args: details }: { args: { failed?: number } }) => details.failed === 1);
    expect(failed.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['run', 'find the executable']));
    expect(names()).toContain('take everything back');
  });

  it('that cannot be written is refused before anything is done', () => {
    const id = cli().id();
    const { status, stderr } = cli().run(['--trace', '/no/such/folder/t', 'create', '--bundle', cli().bundle(), id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('/no/such/folder/')]);
    expect(existsSync(join(cli().root, id))).toBe(false);
  });
});
