import { parseCsv } from './csv.ts';
import { parseDuration } from './duration.ts';
import { applyMode, parseMode } from './mode.ts';
import { parseMount } from './mount.ts';
import { parsePorts } from './ports.ts';
import { parseSize } from './size.ts';

describe('parseDuration', () => {
  it.each([
    ['30s', 30e9],
    ['1h2m3s', 3723e9],
    ['1.5m', 90e9],
    ['.5s', 5e8],
    ['5.s', 5e9],
    ['100ms', 1e8],
    ['3us', 3e3],
    ['3\u00B5s', 3e3],
    ['7ns', 7],
    ['0', 0],
    ['-1s', -1e9],
    ['5', undefined],
    ['', undefined],
    ['1d', undefined],
    ['1 s', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['9999999h', undefined],
  ])('reads %j', (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });
});

describe('parseSize', () => {
  it.each([
    ['10', 10],
    ['10b', 10],
    ['1k', 1024],
    ['1.5M', 1_572_864],
    ['2GiB', 2_147_483_648],
    ['1 kb', 1024],
    ['1x', undefined],
    ['-1', undefined],
    ['', undefined],
    ['9000p', undefined],
  ])('reads %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
});

describe('parsePorts', () => {
  it.each([
    ['80', ['80/tcp'], false],
    ['53/UDP', ['53/udp'], false],
    ['7000-7002/sctp', ['7000/sctp', '7001/sctp', '7002/sctp'], false],
    ['80/', ['80/tcp'], false],
    ['8080:80', ['80/tcp'], true],
    ['127.0.0.1:8080:80/udp', ['80/udp'], true],
    ['[::1]:1-2:3-4', ['3/tcp', '4/tcp'], true],
    ['0', ['0/tcp'], false],
  ])('reads %j', (text, ports, mapsHost) => {
    expect(parsePorts(text)).toMatchObject({ ports, mapsHost });
  });

  it.each([
    ['x', /no port/],
    ['80/http', /protocol is one of/],
    ['70000', /up to 65535/],
    ['5-3', /ends before it begins/],
    ['/tcp', /missing/],
    ['1-2:3-5', /not equally many/],
    ['80-', /no port/],
    ['80/tcp/udp', /protocol/],
  ])('refuses %j', (text, reason) => {
    expect(parsePorts(text)).toMatch(reason);
  });
});

describe('parseMode and applyMode', () => {
  it.each([
    // [change, mode before, directory, mode after]
    ['644', 0o777, false, 0o644],
    ['0755', 0, false, 0o755],
    ['4755', 0, false, 0o4755],
    ['00001', 0o777, false, 0o001],
    ['u+x', 0o644, false, 0o744],
    ['+x', 0o644, false, 0o755],
    ['a-w', 0o666, false, 0o444],
    ['go=', 0o777, false, 0o700],
    ['u=rwX,go=rX', 0o600, false, 0o644],
    ['u=rwX,go=rX', 0o700, false, 0o755],
    ['u=rwX,go=rX', 0o600, true, 0o755],
    ['g=u', 0o640, false, 0o660],
    ['o=g-w', 0o660, false, 0o664],
    ['u+s,g+s', 0o755, false, 0o6755],
    ['+t', 0o777, true, 0o1777],
    ['o+s', 0o755, false, 0o755],
    ['a=rx', 0o7777, false, 0o1555],
    ['ug+rw-x', 0o711, false, 0o661],
    ['=', 0o777, false, 0],
  ])('%s on %s', (text, before, isDirectory, after) => {
    const change = parseMode(text);
    expect(change && applyMode(change, before, { isDirectory })).toBe(after);
  });

  it.each(['', '888', '77777', '0o755', 'rwx', 'u', 'u+q', 'u+r,', 'z=r', 'u=rwg'])('refuses %j', (text) => {
    expect(parseMode(text)).toBeUndefined();
  });
});

describe('parseCsv', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['', ['']],
    ['a,,b', ['a', '', 'b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['a"b', undefined],
    ['"a', undefined],
    ['"a"b', undefined],
  ])('reads %j', (line, fields) => {
    expect(parseCsv(line)).toEqual(fields);
  });
});

describe('parseMount', () => {
  const parse = (text: string) => parseMount(text, (value) => value.replace('$V', 'value'));

  it.each([
    ['type=bind,source=a,target=/b', { type: 'bind', source: 'a', target: '/b', readOnly: true }],
    ['src=a,dst=/b,rw', { type: 'bind', source: 'a', target: '/b', readOnly: false }],
    ['from=x,destination=/b,readwrite=false', { type: 'bind', from: 'x', source: '/', target: '/b', readOnly: true }],
    ['target=/b,readonly=0', { type: 'bind', source: '/', target: '/b', readOnly: false }],
    ['type=bind', { type: 'bind', source: '/', target: '.', readOnly: true }],
    ['TYPE=Cache,target=/c/', { type: 'cache', id: '/c', target: '/c/', source: '/', readOnly: false, sharing: 'shared' }],
    [
      'type=cache,id=$V,target=/c,sharing=locked,from=b,source=/s,uid=1,gid=2,mode=0750,ro',
      { type: 'cache', id: 'value', target: '/c', from: 'b', source: '/s', readOnly: true, sharing: 'locked', uid: 1, gid: 2, mode: 0o750 },
    ],
    ['type=tmpfs,target=/t,size=1m', { type: 'tmpfs', target: '/t', size: 1_048_576 }],
    ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
    ['type=secret,id=k', { type: 'secret', id: 'k', target: '/run/secrets/k', required: false }],
    ['type=secret,src=a/k,required', { type: 'secret', id: 'a/k', target: '/run/secrets/k', required: true }],
    ['type=secret,target=/x/key,mode=0444', { type: 'secret', id: 'key', target: '/x/key', required: false, mode: 0o444 }],
    ['type=secret,id=k,env=TOKEN', { type: 'secret', id: 'k', env: 'TOKEN', required: false }],
    ['type=secret,id=k,env=,target=/f', { type: 'secret', id: 'k', env: 'k', target: '/f', required: false }],
    ['type=ssh', { type: 'ssh', id: 'default', required: false }],
    ['type=ssh,id=x,target=/s,required=true,uid=3', { type: 'ssh', id: 'x', target: '/s', required: true, uid: 3 }],
    ['"target=/a,b",source=x', { type: 'bind', source: 'x', target: '/a,b', readOnly: true }],
  ])('reads %s', (text, mount) => {
    expect(parse(text)).toEqual(mount);
  });

  it.each([
    ['type=bnd,target=/x', /type cannot be "bnd"/, 'Did you mean bind?'],
    ['type=cache,target=/x,sharing=lockd', /sharing cannot be "lockd"/, 'Did you mean locked?'],
    ['targt=/x', /has no "targt=\/x"/, 'Did you mean target?'],
    ['type=cache', /needs a target/, undefined],
    ['target=/', /would hide the whole image/, undefined],
    ['target=/a/..', /would hide the whole image/, undefined],
    ['type=bind,target=/x,size=1m', /a bind mount has no size/, undefined],
    ['type=bind,target=/x,uid=1', /a bind mount has no uid/, undefined],
    ['type=tmpfs,target=/x,size=big', /is no size/, undefined],
    ['type=secret', /needs an id/, undefined],
    ['type=secret,id=a,source=b', /id or source, not both/, undefined],
    ['type=cache,target=/x,mode=9', /no octal mode/, undefined],
    ['type=cache,target=/x,uid=me', /no number of a user/, undefined],
    ['target', /needs a value/, undefined],
    ['target=/x,ro=maybe', /true or false/, undefined],
    ['"target=/x', /quotes do not match/, undefined],
  ])('refuses %s', (text, message, hint) => {
    expect(() => parse(text)).toThrow(message);
    if (hint !== undefined) expect(() => parse(text)).toThrow(expect.objectContaining({ hint }));
  });
});
