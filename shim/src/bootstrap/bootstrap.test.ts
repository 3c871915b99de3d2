import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { anyOf } from '../../../specs/containerd/any.ts';
import { containerd, google } from '../../../specs/containerd/gen/containerd.js';
import { parseArguments, UsageError } from './arguments.ts';
import { environmentOf } from './environment.ts';
import { parseParams } from './params.ts';
import { placesOf } from './places.ts';

const sys = createNodeSys();
const { BootstrapParams } = containerd.runtime.bootstrap.v1;
const words = (text: string) => parseArguments(text.split(' '));

describe('the command line', () => {
  it('is as containerd 1.6 to 2.2 write it', () => {
    const args = words('-namespace default -address /run/c.sock -publish-binary /usr/bin/containerd -id c1 -debug start');
    expect(args).toEqual({
      ...{ action: 'start', namespace: 'default', address: '/run/c.sock', publishBinary: '/usr/bin/containerd' },
      ...{ id: 'c1', bundle: '', socket: '', group: '', debug: true },
    });
  });

  it('is as 2.3 writes it, and in the other forms of Go', () => {
    expect(words('-namespace=ns --address /a -id c1 -bundle /b -debug=false delete')).toMatchObject({
      ...{ action: 'delete', namespace: 'ns', address: '/a', id: 'c1', bundle: '/b', debug: false },
    });
    expect(words('-v').action).toBe('version');
    expect(words('--version').action).toBe('version');
    expect(words('-info').action).toBe('info');
    expect(parseArguments(['-id', '', '--', 'start']).id).toBe('');
  });

  it.each([
    ['-nonsense start', '-nonsense'],
    ['-id', '-id'],
    ['-debug=maybe start', '"maybe"'],
    ['-id c1', 'action is missing'],
    ['-id c1 stop', '"stop"'],
  ])('%s is refused by name', (text, reason) => {
    expect(() => words(text)).toThrow(UsageError);
    expect(() => words(text)).toThrow(reason);
  });
});

describe('standard input', () => {
  const names = { id: 'c1', namespace: 'default' };

  it('of 2.3 is BootstrapParams', () => {
    const bytes = BootstrapParams.encode({
      ...{ instanceId: 'c1', namespace: 'default', logLevel: -4, containerdVersion: 'v2.3.4', socketDir: '/run/s' },
      containerdTtrpcAddress: '/run/c.sock.ttrpc',
      extensions: [{ value: anyOf('containerd.runc.v1.Options', containerd.runc.v1.Options, { root: '/r' }) }],
    }).finish();
    expect(parseParams(sys, bytes, names)).toEqual({ isNew: true, ttrpcAddress: '/run/c.sock.ttrpc', socketDirectory: '/run/s' });
    expect(parseParams(sys, bytes, { ...names, id: 'other' })).toEqual({ isNew: false });
  });

  it('of older ones is options, or empty, or anything', () => {
    const any = google.protobuf.Any.encode(anyOf('containerd.runc.v1.Options', containerd.runc.v1.Options, { root: '/r' })).finish();
    for (const bytes of [any, new Uint8Array(), Uint8Array.of(1, 2, 3, 255)]) {
      expect(parseParams(sys, bytes, names)).toEqual({ isNew: false });
    }
  });
});

describe('places', () => {
  it('are the same for the same containerd and namespace, and short', () => {
    const places = placesOf({ address: '/run/containerd/containerd.sock', namespace: 'k8s.io' });
    expect(placesOf({ address: '/run/containerd/containerd.sock', namespace: 'k8s.io' })).toEqual(places);
    expect(places.socket).toBe(`/run/containerd/s/tsrun-${places.home.slice(-16)}`);
    const others = [
      placesOf({ address: '/run/containerd/containerd.sock', namespace: 'moby' }),
      placesOf({ address: '/run/other.sock', namespace: 'k8s.io' }),
      placesOf({ address: '/run/containerd/containerd.sockk8s', namespace: '.io' }),
      placesOf({ address: '/run/containerd/containerd.sock', namespace: 'k8s.io', group: 'pod' }),
    ];
    expect(new Set([places, ...others].map(({ home }) => home)).size).toBe(5);
    const long = placesOf({ address: '/x'.repeat(500), namespace: 'n'.repeat(76) });
    expect(long.socket.length).toBeLessThan(60);
  });
});

describe('the environment of the process', () => {
  it('has nothing that Node would obey', () => {
    const environ = ['NODE_OPTIONS=--require=/x', 'PATH=/p', 'TTRPC_ADDRESS=/old', 'LD_PRELOAD=/y', 'TSRUN_SHIM_HOME=/h'];
    expect(environmentOf({ ...sys, environ }, { ttrpcAddress: '/t' })).toEqual([
      'PATH=/p',
      'TSRUN_SHIM_HOME=/h',
      'MALLOC_ARENA_MAX=2',
      'TTRPC_ADDRESS=/t',
    ]);
    expect(environmentOf({ ...sys, environ: [] }, { ttrpcAddress: '/t' })[0]).toMatch(/^PATH=.*\/usr\/bin/);
  });
});
