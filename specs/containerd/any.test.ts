import { anyBytes, anyOf, anyOfJson, isAnyOf, JSON_TYPES } from './any.ts';
import { containerd } from './gen/containerd.js';
import { google } from './gen/task.js';

const { TaskOOM } = containerd.events;

describe('Any', () => {
  it('names a message by its bare name, as typeurl of containerd does', () => {
    const any = anyOf('containerd.events.TaskOOM', TaskOOM, { containerId: 'c1' });
    expect(any.type_url).toBe('containerd.events.TaskOOM');
    expect(Buffer.from(google.protobuf.Any.encode(any).finish()).toString('latin1')).toBe(
      '\x0a\x19containerd.events.TaskOOM\x12\x04\x0a\x02c1',
    );
    expect(TaskOOM.decode(anyBytes(any)).containerId).toBe('c1');
  });

  it('is recognised with an authority before the name, and not by the end of another name', () => {
    expect(isAnyOf({ type_url: 'type.googleapis.com/containerd.runc.v1.Options' }, 'containerd.runc.v1.Options')).toBe(true);
    expect(isAnyOf({ type_url: 'x.containerd.runc.v1.Options' }, 'containerd.runc.v1.Options')).toBe(false);
    expect(isAnyOf({}, 'containerd.runc.v1.Options')).toBe(false);
  });

  it('holds JSON as it is', () => {
    const any = anyOfJson(JSON_TYPES.process, '{"cwd":"/ü"}');
    expect(Buffer.from(anyBytes(any)).toString()).toBe('{"cwd":"/ü"}');
  });
});
