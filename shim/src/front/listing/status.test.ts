import { type ContainerRecord, NEW_STATE } from '../../container/record.ts';
import { portsText, statusText } from './status.ts';

const now = Date.parse('2026-01-01T12:00:00Z');
const running = { ...NEW_STATE, status: 'running', pid: 1, startedAt: '2026-01-01T11:56:00Z' } as const;

describe('statusText', () => {
  it.each([
    [NEW_STATE, 'Created'],
    [running, 'Up 4 minutes'],
    [{ ...running, status: 'paused' } as const, 'Up 4 minutes (Paused)'],
    [{ ...running, health: { Status: 'starting', FailingStreak: 0, Log: [] } } as const, 'Up 4 minutes (health: starting)'],
    [{ ...running, health: { Status: 'healthy', FailingStreak: 0, Log: [] } } as const, 'Up 4 minutes (healthy)'],
    [{ ...running, status: 'exited', exitCode: 137, finishedAt: '2026-01-01T11:59:55Z' } as const, 'Exited (137) 5 seconds ago'],
    [{ ...running, status: 'restarting', exitCode: 1, finishedAt: '2026-01-01T11:59:57Z' } as const, 'Restarting (1) 3 seconds ago'],
  ])('%#: %j', (state, expected) => {
    expect(statusText(state, now)).toBe(expected);
  });
});

describe('portsText', () => {
  const record = (...ports: string[]) =>
    ({ Config: { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) } }) as unknown as ContainerRecord;
  const at = (HostPort: string, HostIp = '0.0.0.0') => [{ HostIp, HostPort }];

  it('shows exposed and published ports, and folds runs', () => {
    expect(portsText(record('80/tcp', '1194/udp'), running)).toBe('80/tcp, 1194/udp');
    expect(portsText(record('80/tcp'), { ...running, ports: { '80/tcp': at('32768') } })).toBe('0.0.0.0:32768->80/tcp');
    expect(portsText(record('100/tcp', '101/tcp', '102/tcp'), running)).toBe('100-102/tcp');
    expect(portsText(record(), { ...running, ports: { '80/tcp': at('80'), '81/tcp': at('81') } })).toBe('0.0.0.0:80-81->80-81/tcp');
    expect(portsText(record(), { ...running, ports: { '80/tcp': at('8080'), '81/tcp': at('8081') } })).toBe(
      '0.0.0.0:8080->80/tcp, 0.0.0.0:8081->81/tcp',
    );
    expect(portsText(record(), { ...running, ports: { '53/udp': at('53', '::1') } })).toBe('[::1]:53->53/udp');
  });

  it('shows nothing of what does not run', () => {
    expect(portsText(record('80/tcp'), NEW_STATE)).toBe('');
  });
});
