import { anyOf } from '../../../specs/containerd/any.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { StatusCode } from '../base/status.ts';
import { parseCheckpointOptions } from './checkpoint-options.ts';

const { CheckpointOptions } = containerd.runc.v1;
const options = (fields: containerd.runc.v1.CheckpointOptions.$Properties) =>
  anyOf('containerd.runc.v1.CheckpointOptions', CheckpointOptions, fields);

describe('options of a checkpoint', () => {
  it('without any: the container goes on', () => {
    const nothing = { imagePath: '/image', leaveRunning: true, workPath: undefined, cgroupMode: undefined, emptyNamespaces: undefined };
    for (const any of [undefined, null, {}, options({})]) expect(parseCheckpointOptions('/image', any)).toMatchObject(nothing);
  });

  it("are runc's", () => {
    const all = options({
      ...{ exit: true, openTcp: true, externalUnixSockets: true, terminal: true, fileLocks: true, parentPath: '../first' },
      ...{ emptyNamespaces: ['network'], cgroupsMode: 'full', imagePath: '/other', workPath: '/work' },
    });
    expect(parseCheckpointOptions('', all)).toEqual({
      ...{ imagePath: '/other', workPath: '/work', leaveRunning: false, tcpEstablished: true, externalUnixSockets: true },
      ...{ shellJob: true, fileLocks: true, emptyNamespaces: 0x40000000, cgroupMode: 'full', parentPath: '../first' },
    });
  });

  it.each([
    ['no path', '', undefined, 'needs a path'],
    ['a relative path', 'image', undefined, 'image path "image" is not absolute'],
    ['a relative directory for the log', '/image', options({ workPath: 'work' }), 'options.work_path "work"'],
    ['a mode that nobody knows', '/image', options({ cgroupsMode: 'gentle' }), 'options.cgroups_mode "gentle"'],
    ['a namespace that has to be dumped', '/image', options({ emptyNamespaces: ['mount'] }), '"mount" cannot be left out'],
    ['options of another kind', '/image', anyOf('containerd.runc.v1.Options', containerd.runc.v1.Options, {}), 'are not known'],
    ['bytes that are no message', '/image', { type_url: 'containerd.runc.v1.CheckpointOptions', value: Uint8Array.of(8) }, 'are no'],
  ])('%s is refused', (_, path, any, text) => {
    expect(() => parseCheckpointOptions(path, any)).toThrow(
      expect.objectContaining({ code: StatusCode.invalidArgument, message: expect.stringContaining(text) }),
    );
  });
});
