import { changedConfig } from './config-changes.ts';

describe('changedConfig', () => {
  it.each([
    [['CMD ["sh", "-c", "x y"]'], {}, { Cmd: ['sh', '-c', 'x y'] }],
    [['cmd echo hello'], {}, { Cmd: ['/bin/sh', '-c', 'echo hello'] }],
    [['CMD [ -f x ]'], {}, { Cmd: ['/bin/sh', '-c', '[ -f x ]'] }],
    [['ENTRYPOINT ["/run"]'], { Cmd: ['old'] }, { Entrypoint: ['/run'] }],
    [['ENTRYPOINT ["/run"]', 'CMD ["new"]'], { Cmd: ['old'] }, { Entrypoint: ['/run'], Cmd: ['new'] }],
    [['ENV A=1 B="two words" C=a\\ b'], { Env: ['B=x', 'D=4'] }, { Env: ['B=two words', 'D=4', 'A=1', 'C=a b'] }],
    [['ENV A the rest'], {}, { Env: ['A=the rest'] }],
    [['EXPOSE 80 53/udp'], { ExposedPorts: { '1/tcp': {} } }, { ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '53/udp': {} } }],
    [['LABEL a=b "c d"=\'e f\''], { Labels: { z: '1' } }, { Labels: { z: '1', a: 'b', 'c d': 'e f' } }],
    [['VOLUME ["/a", "/b c"]', 'VOLUME /d'], {}, { Volumes: { '/a': {}, '/b c': {}, '/d': {} } }],
    [['WORKDIR /a', 'WORKDIR b/../c'], {}, { WorkingDir: '/a/c' }],
    [['USER app:app', 'STOPSIGNAL SIGINT'], {}, { User: 'app:app', StopSignal: 'SIGINT' }],
  ])('takes %j', (instructions, before, after) => {
    expect(changedConfig(before, instructions)).toEqual(after);
  });

  it.each([['RUN x'], ['CMD'], [''], ['EXPOSE x'], ['LABEL x'], ['ENV =x']])('refuses %j', (instruction) => {
    expect(() => changedConfig({}, [instruction])).toThrow(expect.objectContaining({ code: 'change' }));
  });
});
