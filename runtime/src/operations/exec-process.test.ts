import { defaultConfig } from '../spec/default-config.ts';
import { checkConfig, checkProcess } from '../spec/load.ts';
import { changedProcess, completedProcess } from './exec-process.ts';

const { config } = checkConfig({
  ...defaultConfig(),
  process: { ...defaultConfig().process, apparmorProfile: 'confined', user: { uid: 3, gid: 4, additionalGids: [5] } },
});

describe('changedProcess', () => {
  it('is the process of the container with another command, without its terminal', () => {
    const { process } = changedProcess(config, { args: ['id'] });
    expect(process).toEqual({ ...config.process, args: ['id'], terminal: false });
  });

  it('adds variables, groups and capabilities, and replaces the rest', () => {
    const { process } = changedProcess(config, {
      args: ['id'],
      cwd: '/tmp',
      env: ['A=1'],
      user: { uid: 7 },
      additionalGids: [6],
      capabilities: ['net_raw', 'CAP_KILL'],
      noNewPrivileges: false,
      processLabel: 'label',
      apparmor: 'other',
      tty: true,
    });
    expect(process).toMatchObject({
      cwd: '/tmp',
      env: [...(config.process?.env ?? []), 'A=1'],
      user: { uid: 7, gid: 4, additionalGids: [5, 6] },
      noNewPrivileges: false,
      selinuxLabel: 'label',
      apparmorProfile: 'other',
      terminal: true,
    });
    const set = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW'];
    expect(process.capabilities).toEqual({ bounding: set, effective: set, permitted: set });
  });

  it('never touches inheritable and ambient capabilities (CVE-2022-29162)', () => {
    const { config: inheriting } = checkConfig({
      ...defaultConfig(),
      process: { ...defaultConfig().process, capabilities: { inheritable: ['CAP_CHOWN'], ambient: ['CAP_CHOWN'] } },
    });
    const { process } = changedProcess(inheriting, { args: ['id'], capabilities: ['CAP_NET_RAW'] });
    expect(process.capabilities).toMatchObject({ inheritable: ['CAP_CHOWN'], ambient: ['CAP_CHOWN'] });
  });

  it.each([
    [{}, 'exec args cannot be empty'],
    [{ args: ['id'], capabilities: ['CAP_NOTHING'] }, 'unknown capability "CAP_NOTHING"'],
    [{ args: ['id'], cwd: 'relative' }, 'cwd'],
    [{ args: ['id'], user: { uid: 4_294_967_295 } }, 'user.uid'],
  ])('refuses %j', (changes, message) => {
    expect(() => changedProcess(config, changes)).toThrow(message);
  });
});

describe('completedProcess', () => {
  it('takes from the container what restricts a process, where the document says nothing of it', () => {
    const { process } = checkProcess({ args: ['id'], cwd: '/', user: { uid: 0, gid: 0 }, apparmorProfile: '' });
    const completed = completedProcess(config, process);
    expect(completed).toMatchObject({ args: ['id'], apparmorProfile: 'confined' });
    expect(completed.capabilities).toEqual(config.process?.capabilities);
    expect(completed.rlimits).toEqual(config.process?.rlimits);
    expect(completed.env).toBeUndefined();
    expect(completed.noNewPrivileges).toBeUndefined();
  });

  it('leaves what the document says', () => {
    const { process } = checkProcess({ args: ['id'], cwd: '/', capabilities: { bounding: ['CAP_CHOWN'] }, apparmorProfile: 'own' });
    expect(completedProcess(config, process)).toMatchObject({ capabilities: { bounding: ['CAP_CHOWN'] }, apparmorProfile: 'own' });
  });
});
