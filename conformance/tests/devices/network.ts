import assert from 'node:assert/strict';
import { claims } from '../../harness/claims.ts';
import { runCommand } from '../../harness/command.ts';
import type { Ground } from '../../harness/ground.ts';
import { hostCommand } from '../../harness/host.ts';
import { Topic } from '../../harness/test-case.ts';

const topic = new Topic('devices/network', {
  needs: [hostCommand('ip')],
  since: '1.3.0',
  requires: claims('network devices', (linux) => linux.netDevices?.enabled),
});
export const networkDeviceTests = topic.tests;

let count = 0;

/** A device on the host with an address, gone at the end of the test. */
async function makeDevice(ground: Ground): Promise<string> {
  count += 1;
  const name = `cf${process.pid % 100_000}x${count}`;
  let { status } = await runCommand('ip', ['link', 'add', name, 'type', 'dummy']);
  if (status !== 0) ({ status } = await runCommand('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}p`]));
  if (status !== 0) ground.notTestable('the kernel can make neither a dummy nor a veth device');
  ground.atEnd(() => runCommand('ip', ['link', 'del', name]));
  await runCommand('ip', ['addr', 'add', '10.123.45.6/24', 'dev', name]);
  await runCommand('ip', ['link', 'set', name, 'mtu', '1234']);
  return name;
}

function withDevice(devices: object): Record<string, unknown> {
  return { 'linux.netDevices': devices, 'linux.namespaces+': { type: 'network' } };
}

topic.test('moved: the device is in the container, and not on the host', ['linux/net-devices/available'], async (ground) => {
  const name = await makeDevice(ground);
  const container = await ground.start({
    ...withDevice({ [name]: {} }),
    'process.args': ['sh', '-c', `ls -d /sys/class/net/${name} || cat /proc/net/dev; sleep 1000`],
  });
  assert.match(await container.printed(/./), new RegExp(name));
  assert.notEqual((await runCommand('ip', ['link', 'show', name])).status, 0);
});

topic.test('renamed: the device has its new name', ['linux/net-devices/available'], async (ground) => {
  const name = await makeDevice(ground);
  assert.match(await ground.sh('cat /proc/net/dev', withDevice({ [name]: { name: 'inside0' } })), /inside0:/);
});

topic.test('template: a name that ends in %d is completed', ['linux/net-devices/template'], async (ground) => {
  const name = await makeDevice(ground);
  assert.match(await ground.sh('cat /proc/net/dev', withDevice({ [name]: { name: 'tpl%d' } })), /tpl0:/);
});

topic.test('attributes: addresses and attributes stay', ['linux/net-devices/attributes'], async (ground) => {
  const name = await makeDevice(ground);
  const out = await ground.sh(`ip addr show ${name}`, withDevice({ [name]: {} }));
  assert.match(out, /10\.123\.45\.6\/24/);
  assert.match(out, /mtu 1234/);
});

topic.test('up: the device is up', ['linux/net-devices/up'], async (ground) => {
  const name = await makeDevice(ground);
  assert.match(await ground.sh(`ip link show ${name}`, withDevice({ [name]: {} })), /[<,]UP[,>]/);
});

topic.test('name-taken: a name that is taken is an error', ['linux/net-devices/name-taken'], async (ground) => {
  const name = await makeDevice(ground);
  await ground.refuse(withDevice({ [name]: { name: 'lo' } }));
});

topic.test('not-watched: what the container does to the device stays', ['linux/net-devices/lifecycle'], async (ground) => {
  const name = await makeDevice(ground);
  const caps = ['CAP_NET_ADMIN'];
  const patch = { ...withDevice({ [name]: {} }), 'process.capabilities': { bounding: caps, permitted: caps, effective: caps } };
  assert.doesNotMatch(await ground.sh(`ip link set ${name} down; sleep 0.2; ip link show ${name}`, patch), /[<,]UP[,>]/);
});

topic.test(
  'no-return: while the container is stopped and not deleted, the device is not moved back',
  ['linux/net-devices/no-return'],
  async (ground) => {
    const name = await makeDevice(ground);
    const container = await ground.start(withDevice({ [name]: { name: 'inside0' } }));
    await container.stop();
    assert.notEqual((await runCommand('ip', ['link', 'show', name])).status, 0);
  },
);
