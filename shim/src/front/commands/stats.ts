import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { anyBytes } from '../../../../specs/containerd/any.ts';
import { io } from '../../../../specs/containerd/gen/containerd.js';
import { bigintOf } from '../../../../specs/containerd/uint64.ts';
import { type Container, findContainer, listContainers } from '../../container/containers.ts';
import { readText } from '../../container/files.ts';
import { shortId } from '../../container/id.ts';
import { isRunning } from '../../container/record.ts';
import { formatBinarySize, formatDecimalSize } from '../../container/size.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { printRows, type Row, type TableShape } from '../format/printer.ts';

const TABLE: TableShape = {
  headers: {
    Container: 'CONTAINER ID',
    ID: 'CONTAINER ID',
    Name: 'NAME',
    CPUPerc: 'CPU %',
    MemUsage: 'MEM USAGE / LIMIT',
    MemPerc: 'MEM %',
    NetIO: 'NET I/O',
    BlockIO: 'BLOCK I/O',
    PIDs: 'PIDS',
  },
  columns: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
};

/** Between two looks, from which the share of CPU is known. */
const PERIOD_MS = 1000;
const CLEAR = '\x1b[2J\x1b[H';

export const stats: Command = async (context, args) => {
  const isOnce = args.flag('no-stream') || !process.stdout.isTTY;
  let before = await sample(context, args);
  for (;;) {
    await sleep(PERIOD_MS);
    const now = await sample(context, args);
    const rows = now.map((one) =>
      rowOf(
        one,
        before.find(({ id }) => id === one.id),
        args.flag('no-trunc'),
      ),
    );
    if (!isOnce) context.write(CLEAR);
    for (const line of printRows(rows, TABLE, args.value('format'))) context.print(line);
    if (isOnce) return 0;
    before = now;
  }
};

interface Sample {
  readonly id: string;
  readonly name: string;
  readonly atMs: number;
  readonly cpuUs: number;
  readonly memory: number;
  readonly memoryLimit: number;
  readonly pids: number;
  readonly read: number;
  readonly written: number;
  readonly received: number;
  readonly sent: number;
}

async function sample(context: Context, args: Arguments): Promise<Sample[]> {
  const named = args.positionals.map((text) => findContainer(context.places, text));
  const all = named.length > 0 ? named : listContainers(context.places).filter(({ state }) => args.flag('all') || isRunning(state));
  return await Promise.all(all.map((container) => sampleOf(context, container)));
}

async function sampleOf(context: Context, { record, state }: Container): Promise<Sample> {
  const nothing = { cpuUs: 0, memory: 0, memoryLimit: 0, pids: 0, read: 0, written: 0, received: 0, sent: 0 };
  const common = { id: record.Id, name: record.Name, atMs: performance.now() };
  if (!isRunning(state)) return { ...common, ...nothing };
  const { tasks } = await context.shim();
  const answer = await tasks.Stats({ id: record.Id });
  const metrics = io.containerd.cgroups.v2.Metrics.decode(
    answer.stats === null || answer.stats === undefined ? new Uint8Array() : anyBytes(answer.stats),
  );
  const number = (value: Parameters<typeof bigintOf>[0] | null | undefined) =>
    value === null || value === undefined ? 0 : Number(bigintOf(value));
  const disks = metrics.io?.usage ?? [];
  return {
    ...common,
    ...network(state.pid),
    cpuUs: number(metrics.cpu?.usageUsec),
    memory: Math.max(0, number(metrics.memory?.usage) - number(metrics.memory?.inactiveFile)),
    memoryLimit: Math.min(number(metrics.memory?.usageLimit) || Number.POSITIVE_INFINITY, hostMemory()),
    pids: number(metrics.pids?.current),
    read: disks.reduce((sum, disk) => sum + number(disk.rbytes), 0),
    written: disks.reduce((sum, disk) => sum + number(disk.wbytes), 0),
  };
}

/** Of the namespace's interfaces, but the loopback (proc_pid_net(5)). */
function network(pid: number): { readonly received: number; readonly sent: number } {
  const lines = (readText(`/proc/${pid}/net/dev`) ?? '').split('\n').slice(2);
  const rows = lines.map((line) => line.trim().split(/[:\s]+/)).filter(([name]) => name !== '' && name !== 'lo');
  return {
    received: rows.reduce((sum, fields) => sum + Number(fields[1] ?? 0), 0),
    sent: rows.reduce((sum, fields) => sum + Number(fields[9] ?? 0), 0),
  };
}

function hostMemory(): number {
  return Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
}

function rowOf(now: Sample, before: Sample | undefined, noTrunc: boolean): Row {
  const elapsedUs = before === undefined ? 0 : (now.atMs - before.atMs) * 1000;
  const cpu = before === undefined || elapsedUs === 0 ? 0 : ((now.cpuUs - before.cpuUs) / elapsedUs) * 100;
  const share = now.memoryLimit === 0 ? 0 : (now.memory / now.memoryLimit) * 100;
  return {
    Container: now.id,
    ID: noTrunc ? now.id : shortId(now.id),
    Name: now.name,
    CPUPerc: `${cpu.toFixed(2)}%`,
    MemUsage: `${formatBinarySize(now.memory)} / ${formatBinarySize(now.memoryLimit)}`,
    MemPerc: `${share.toFixed(2)}%`,
    NetIO: `${formatDecimalSize(now.received)} / ${formatDecimalSize(now.sent)}`,
    BlockIO: `${formatDecimalSize(now.read)} / ${formatDecimalSize(now.written)}`,
    PIDs: now.pids,
  };
}
