/** Networks of tsctl that have IPv6 as well: addresses, names and traffic. */

import { existsSync } from 'node:fs';
import { command, describeWith } from '../../.scripts/jest/requirement.ts';
import { networkTools, PATIENCE_MS, stageRequirements, TsctlStage, until } from './tsctl-stage.ts';

jest.setTimeout(PATIENCE_MS * 2);

const ipv6 = { what: 'IPv6 in the kernel', met: existsSync('/proc/net/if_inet6') };

describeWith([...stageRequirements, ...networkTools, command('ip6tables'), ipv6], 'tsctl with IPv6', () => {
  let stage: TsctlStage;
  beforeAll(async () => {
    stage = await TsctlStage.open();
  }, PATIENCE_MS);
  afterAll(() => stage.close(), PATIENCE_MS);

  const fetch = (url: string) => stage.inside(['busybox', 'wget', '-qO-', url]).stdout;

  it('gives the address of --ip6, which is reached by address, by name, and at a published port', async () => {
    stage.succeeds('network', 'create', '--ipv6', '--subnet', 'fd00:7::/64', '--subnet', '10.201.7.0/24', 'six');
    const server = ['httpd', '-f', '-p', '[::]:80', '-h', '/www'];
    stage.succeeds('run', '-d', '--name', 'web', '--network', 'six', '--ip6', 'fd00:7::80', '-p', '8086:80', 'busybox', ...server);
    const settings = stage.succeeds('inspect', '-f', '{{json .NetworkSettings.Networks.six}}', 'web');
    expect(JSON.parse(settings)).toMatchObject({
      GlobalIPv6Address: 'fd00:7::80',
      GlobalIPv6PrefixLen: 64,
      IPv6Gateway: 'fd00:7::1',
      IPAddress: expect.stringMatching(/^10\.201\.7\./),
    });
    await until(() => fetch('http://[fd00:7::80]/') === 'It works!\n');
    expect(fetch('http://[::1]:8086/')).toBe('It works!\n');
    // To an address of the host, not of its loopback, the firewall sends it on.
    expect(fetch('http://[fd00:7::1]:8086/')).toBe('It works!\n');
    expect(fetch('http://127.0.0.1:8086/')).toBe('It works!\n');

    const peer = (...words: string[]) => stage.succeeds('run', '--rm', '--network', 'six', 'busybox', ...words);
    expect(peer('wget', '-qO-', 'http://[fd00:7::80]/')).toBe('It works!\n');
    expect(peer('ping', '-6', '-c', '1', '-W', '10', 'web')).toContain('1 packets received');
    expect(peer('ip', '-6', 'route')).toContain('default via fd00:7::1');

    const [network] = JSON.parse(stage.succeeds('network', 'inspect', 'six')) as { EnableIPv6: boolean; IPAM: { Config: object[] } }[];
    expect(network).toMatchObject({ EnableIPv6: true });
    expect(network?.IPAM.Config).toContainEqual({ Subnet: 'fd00:7::/64', Gateway: 'fd00:7::1' });
    stage.succeeds('rm', '-f', 'web');
    stage.succeeds('network', 'rm', 'six');
    // Of a network that is gone, and its containers, no rule is left.
    expect(stage.inside(['ip6tables-save']).stdout).not.toMatch(/TSCTL-|fd00:7|8086/);
  });

  it('chooses a subnet of its own where none is given', () => {
    stage.succeeds('network', 'create', '--ipv6', 'own');
    const address = stage.succeeds('run', '--rm', '--network', 'own', 'busybox', 'ip', '-6', 'addr', 'show', 'dev', 'eth0');
    expect(address).toMatch(/inet6 fd[0-9a-f:]+\/64 scope global/);
    stage.succeeds('network', 'rm', 'own');
  });

  it('refuses what does not fit', () => {
    stage.succeeds('network', 'create', 'four');
    const refused = (...words: string[]) => stage.tsctl('create', ...words, 'busybox');
    expect(refused('--ip6', 'fd00::2')).toMatchObject({ code: 1, stderr: expect.stringContaining('user defined networks only') });
    expect(refused('--network', 'four', '--ip6', 'fd00::2')).toMatchObject({ code: 1, stderr: expect.stringContaining('has no IPv6') });
    expect(stage.tsctl('network', 'create', '--subnet', 'fd00:8::/64', 'no')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('needs --ipv6'),
    });
    stage.succeeds('network', 'rm', 'four');
  });
});
