/** Network devices of the host in a container. Everything happens in a network namespace of the test's own, with pairs of veth devices. */
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, describeWith } from '../../.scripts/jest/requirement.ts';
import { type Change, onBothEngines } from './ground.ts';

const SETUP = `
ip link set lo up
ip link add net0 type veth peer name peer0
ip addr add 192.0.2.5/24 brd + dev net0
ip addr add 10.9.9.1 peer 10.9.9.2/32 dev net0
ip addr add 2001:db8::5/64 dev net0 nodad
ip addr add 198.51.100.1/24 scope link dev net0
ip addr add 203.0.113.1/24 dev net0 valid_lft 300 preferred_lft 300
ip link set net0 address 02:00:00:00:00:05 mtu 1400 up
ip link set peer0 up
`;

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

describeWith([command('ip'), command('unshare')], 'network devices', () => {
  onBothEngines('moved into the container', (ground) => {
    /** Runs a script in a fresh network namespace, in which $TSRUN is the command line and $BUNDLE the bundle. */
    function inNamespace(script: string, change: Change): Outcome {
      const bundle = ground().bundle(change);
      const file = join(ground().directory, 'script');
      writeFileSync(file, `set -e\nmount -t sysfs none /sys\n${SETUP}\n${script}`);
      mkdirSync(ground().root, { mode: 0o700, recursive: true });
      const { status, stdout, stderr } = spawnSync('unshare', ['--net', '--mount', 'sh', file], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', TSRUN: `${ground().command} --root ${ground().root}`, BUNDLE: bundle, ID: ground().id() },
      });
      return { status, output: `${stdout}${stderr}` };
    }

    const devices = (
      map: Readonly<Record<string, { readonly name?: string }>>,
      script = 'ip addr',
      change: Change = () => undefined,
    ): Change => {
      return (config) => {
        config.linux.netDevices = map;
        config.process.args = ['sh', '-c', script];
        change(config);
      };
    };
    const RUN = '$TSRUN run --bundle $BUNDLE $ID';
    /** What is told of the devices of the host afterwards. */
    const HOST = 'ip -o addr show dev net0 | sed "s/  */ /g"; ip -o link show net0';

    it('keeps its lasting addresses of global scope, its MTU and hardware address, and is up', () => {
      const { status, output } = inNamespace(RUN, devices({ net0: {} }));
      expect(status).toBe(0);
      expect(output).toMatch(/net0@if\d+: <BROADCAST,MULTICAST,UP,/);
      expect(output).toMatch(/mtu 1400/);
      expect(output).toMatch(/link\/ether 02:00:00:00:00:05/);
      expect(output).toMatch(/inet 192\.0\.2\.5\/24 brd 192\.0\.2\.255 scope global net0/);
      expect(output).toMatch(/inet 10\.9\.9\.1 peer 10\.9\.9\.2\/32 scope global net0/);
      expect(output).toMatch(/inet6 2001:db8::5\/64 scope global/);
      expect(output).not.toMatch(/198\.51\.100\.1|203\.0\.113\.1/);
    });

    it('has the name that was wished for, or one that the kernel numbers', () => {
      expect(inNamespace(`${RUN} || true`, devices({ net0: { name: 'eth7' } })).output).toMatch(
        /: eth7@.*\n(.*\n)*.*inet 192\.0\.2\.5\/24 .*eth7/,
      );
      const two = `ip link add net1 type veth peer name peer1\n${RUN} || true`;
      const { output } = inNamespace(two, devices({ net0: { name: 'eth%d' }, net1: { name: 'eth%d' } }));
      expect(output).toMatch(/: eth0@/);
      expect(output).toMatch(/: eth1@/);
    });

    it('goes to a namespace that was there before', () => {
      const script = `unshare --net sleep 100 >/dev/null 2>&1 & HOLDER=$!
until [ "$(readlink /proc/$HOLDER/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
sed -i "s#HOLDER#$HOLDER#" $BUNDLE/config.json
${RUN} || true; nsenter --net=/proc/$HOLDER/ns/net ip -o link show eth0; kill $HOLDER`;
      const { output } = inNamespace(
        script,
        devices({ net0: { name: 'eth0' } }, 'true', (config) => {
          const namespace = config.linux.namespaces?.find(({ type }) => type === 'network');
          if (namespace !== undefined) namespace.path = '/proc/HOLDER/ns/net';
        }),
      );
      expect(output).toMatch(/eth0@/);
    });

    it('is there before the createRuntime hooks', () => {
      const { output } = inNamespace(
        `${RUN} || true; cat ${ground().directory}/seen`,
        devices({ net0: { name: 'eth0' } }, 'true', (config) => {
          const path = '/bin/sh';
          config.hooks = {
            createRuntime: [
              {
                path,
                args: [
                  'sh',
                  '-c',
                  `ls /sys/class/net; nsenter --net=/proc/$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')/ns/net cat /proc/net/dev`,
                ],
                env: ['PATH=/usr/bin:/bin:/usr/sbin'],
              },
            ],
          };
          const hook = config.hooks.createRuntime?.[0];
          if (hook?.args !== undefined) hook.args[2] = `(${hook.args[2]}) > ${ground().directory}/seen 2>&1`;
        }),
      );
      expect(output).toMatch(/peer0/);
      expect(output).toMatch(/eth0:/);
    });

    const WAS = [
      'net0 inet 198.51.100.1/24 scope link net0',
      'net0 inet 192.0.2.5/24 brd 192.0.2.255 scope global net0',
      'net0 inet 10.9.9.1 peer 10.9.9.2/32 scope global net0',
      'net0 inet6 2001:db8::5/64 scope global',
    ];

    it.each([
      ['a later failure', { net0: { name: 'eth%d' } }, /no such file or directory/],
      [
        'a name that is taken',
        { net0: { name: 'lo' } },
        /fail to move network device net0 to network namespace \S+: file exists\nhint: give the device another name/,
      ],
      [
        'another that is missing',
        { net0: {}, net9: {} },
        /linux\.netDevices\.net9: link not found for interface net9 on runtime namespace: no such device/,
      ],
    ])('is back as it was after %s', (_what, map, message) => {
      const broken = JSON.stringify(map).includes('%');
      const { output } = inNamespace(
        `${RUN} || true; ${HOST}`,
        devices(map, 'true', (config) => {
          if (broken) config.mounts.push({ destination: '/x', source: '/no/such/thing', options: ['bind'] });
        }),
      );
      expect(output).toMatch(message);
      for (const line of WAS) expect(output).toContain(line);
      expect(output).toMatch(/net0@peer0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400/);
    });

    it('is refused to a user who is not root', () => {
      const user = { uid: 54_321, gid: 54_322 };
      mkdirSync(ground().root, { mode: 0o700, recursive: true });
      chownSync(ground().root, user.uid, user.gid);
      const refused = ground().refused(
        devices({ lo: {} }, 'true', (config) => {
          config.linux.namespaces?.push({ type: 'user' });
          config.linux.uidMappings = [{ containerID: 0, hostID: user.uid, size: 1 }];
          config.linux.gidMappings = [{ containerID: 0, hostID: user.gid, size: 1 }];
        }),
        { user },
      );
      expect(refused).toMatch(/linux\.netDevices: network devices are not supported for rootless containers/);
    });
  });
});
