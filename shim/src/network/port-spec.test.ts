import { parseExpose, parsePublish } from './port-spec.ts';

const text = (spec: string) => parsePublish(spec).map(({ port, binding }) => `${binding.HostIp}|${binding.HostPort}|${port}`);

describe('parsePublish', () => {
  it.each([
    ['80', ['||80/tcp']],
    ['80:80', ['|80|80/tcp']],
    ['1194:1194/udp', ['|1194|1194/udp']],
    ['127.0.0.1:8080:80', ['127.0.0.1|8080|80/tcp']],
    ['127.0.0.1::80', ['127.0.0.1||80/tcp']],
    ['127.0.0.1:80', ['127.0.0.1||80/tcp']],
    ['[::1]:80:8080/TCP', ['::1|80|8080/tcp']],
    ['[::1]::53/udp', ['::1||53/udp']],
    [':80', ['||80/tcp']],
    ['8000-8001:80-81/udp', ['|8000|80/udp', '|8001|81/udp']],
    ['8000-8010:80', ['|8000-8010|80/tcp']],
    ['1000-1001', ['||1000/tcp', '||1001/tcp']],
  ])('reads %s', (spec, expected) => {
    expect(text(spec)).toEqual(expected);
  });

  it.each(['', '80/', '80/icmp', 'a:80', '70000', '80:', '10-12:1-2', '300.1.1.1:80:80', '5-2:80', '0:0'])('refuses %j', (spec) => {
    expect(() => parsePublish(spec)).toThrow();
  });
});

describe('parseExpose', () => {
  it('reads ranges and protocols', () => {
    expect(parseExpose('1194/udp')).toEqual(['1194/udp']);
    expect(parseExpose('80-81')).toEqual(['80/tcp', '81/tcp']);
    expect(() => parseExpose('80/tcp/udp')).toThrow('--expose');
  });
});
