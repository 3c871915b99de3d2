import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addToNetwork, attachedNetworks, inputFor, removeFromNetwork } from './cni-list.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cni-list-'));
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A plugin that notes how it was called, and answers or fails. */
function plugin(name: string, answer: string, code = 0): void {
  const path = join(directory, 'bin', name);
  const note = `echo "${name} $CNI_COMMAND $CNI_IFNAME \${CNI_NETNS:-gone}" >> ${directory}/calls; cat > ${directory}/${name}.$CNI_COMMAND`;
  writeFileSync(path, `#!/bin/sh\n${note}\n[ "$CNI_COMMAND" = DEL ] && exit 0\necho '${answer}'\nexit ${code}\n`);
  chmodSync(path, 0o755);
}

const calls = () => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
const input = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Record<string, unknown>;
const places = () => ({ cache: join(directory, 'cache'), pluginPath: [join(directory, 'nowhere'), join(directory, 'bin')] });
const config = { cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'first' }, { type: 'second', capabilities: { portMappings: true } }] };
const attachment = {
  containerId: 'c1',
  netns: '/proc/1/ns/net',
  interfaceName: 'eth0',
  capabilities: { portMappings: [{ hostPort: 80, containerPort: 80, protocol: 'tcp' }] },
};

describe('addToNetwork and removeFromNetwork', () => {
  it('call each plugin with the result of the one before, and back in reverse with the last', async () => {
    plugin('first', '{"ips":[{"address":"10.0.0.2/24"}]}');
    plugin('second', '{"ips":[{"address":"10.0.0.2/24"}],"dns":{}}');
    const result = await addToNetwork(places(), config, attachment);
    expect(result.ips?.[0]?.address).toBe('10.0.0.2/24');
    expect(input('first.ADD')).toEqual({ type: 'first', cniVersion: '1.0.0', name: 'lab' });
    expect(input('second.ADD')).toMatchObject({
      prevResult: { ips: [{ address: '10.0.0.2/24' }] },
      runtimeConfig: { portMappings: [{ hostPort: 80 }] },
    });
    expect(attachedNetworks(places(), 'c1')).toEqual(['lab']);
    await removeFromNetwork(places(), 'c1', 'lab', '');
    expect(calls()).toEqual([
      'first ADD eth0 /proc/1/ns/net',
      'second ADD eth0 /proc/1/ns/net',
      'second DEL eth0 gone',
      'first DEL eth0 gone',
    ]);
    expect(input('first.DEL')).toMatchObject({ prevResult: { dns: {} } });
    expect(attachedNetworks(places(), 'c1')).toEqual([]);
  });

  it('undo what was done before a plugin that fails, and say what it said', async () => {
    plugin('first', '{}');
    plugin('second', '{"code":11,"msg":"no more addresses","details":"range full"}', 1);
    await expect(addToNetwork(places(), config, attachment)).rejects.toThrow(
      'network plugin second failed (ADD): no more addresses: range full',
    );
    expect(calls().filter((line) => line.includes('DEL'))).toHaveLength(2);
    expect(attachedNetworks(places(), 'c1')).toEqual([]);
  });

  it('name the package of a plugin that is not there', async () => {
    plugin('first', '{}');
    await expect(addToNetwork(places(), config, attachment)).rejects.toMatchObject({
      message: expect.stringContaining('the CNI plugin "second" is not installed'),
      hint: expect.stringContaining('containernetworking-plugins'),
    });
  });

  it('have nothing to do for a container that is in none', async () => {
    await removeFromNetwork(places(), 'c1', 'lab', '');
    expect(attachedNetworks(places(), 'c1')).toEqual([]);
  });
});

describe('inputFor', () => {
  it('gives a plugin the capabilities that it asks for, and not the question', () => {
    expect(inputFor(config, { type: 'x', capabilities: { ips: true } }, attachment.capabilities, {})).toEqual({
      type: 'x',
      cniVersion: '1.0.0',
      name: 'lab',
    });
  });
});
