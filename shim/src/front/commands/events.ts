import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerEvent } from '../../container/events.ts';
import { parseTimePoint } from '../../container/time.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command } from '../context.ts';
import { parseFilters } from '../format/printer.ts';
import { compileTemplate } from '../format/template.ts';
import { hasLabel } from '../listing/container-filters.ts';
import { closeLogFiles, linesFrom, openLogFiles, positionOfTail } from '../logs/log-files.ts';

const LOOK_MS = 100;

export const events: Command = async (context, args) => {
  const now = Date.now();
  const since = args.has('since') ? parseTimePoint(args.value('since') ?? '', now) : undefined;
  const until = args.has('until') ? parseTimePoint(args.value('until') ?? '', now) : Number.POSITIVE_INFINITY;
  const show = printerOf(args, context.print);
  const passes = filterOf(args);
  let files = openLogFiles(context.places.events);
  let offset = since === undefined ? positionOfTail(files, 0).offset : 0;
  for (let first = since !== undefined; ; first = false) {
    for (const file of first ? files : files.slice(-1)) {
      const start = first ? 0 : offset;
      for (const { line, end } of linesFrom(file.fd, start)) {
        offset = end;
        const event = JSON.parse(line) as ContainerEvent;
        const ms = event.timeNano / 1e6;
        if (ms >= (since ?? 0) && ms <= until && passes(event)) show(event);
      }
    }
    if (Date.now() > until) break;
    await sleep(LOOK_MS);
    const last = files.at(-1);
    const renewed = openLogFiles(context.places.events);
    if (last === undefined || (renewed.at(-1)?.size ?? 0) < offset) offset = 0;
    closeLogFiles(files);
    files = renewed;
  }
  closeLogFiles(files);
  return 0;
};

function printerOf(args: Arguments, print: (line: string) => void): (event: ContainerEvent) => void {
  const format = args.value('format');
  if (format === 'json') return (event) => print(JSON.stringify(event));
  if (format !== undefined) {
    const template = compileTemplate(format);
    return (event) => print(template({ ...event, ID: event.Actor.ID, Status: event.Action, From: event.Actor.Attributes['image'] ?? '' }));
  }
  return (event) => print(textOf(event));
}

/** `2026-01-01T12:00:00.000000000Z container start <id> (image=busybox, name=web)` */
function textOf({ Type, Action, Actor, timeNano }: ContainerEvent): string {
  const attributes = Object.entries(Actor.Attributes).sort(([a], [b]) => Number(a > b) - 0.5);
  const list = attributes.map(([key, value]) => `${key}=${value}`).join(', ');
  const time = new Date(timeNano / 1e6).toISOString().replace('Z', '000000Z');
  return `${time} ${Type} ${Action} ${Actor.ID}${list === '' ? '' : ` (${list})`}`;
}

function filterOf(args: Arguments): (event: ContainerEvent) => boolean {
  const filters = parseFilters(args.values('filter'), ['type', 'event', 'container', 'image', 'label', 'network', 'volume']);
  const one = (name: string, test: (value: string) => boolean) => filters.get(name)?.some(test) ?? true;
  return ({ Type, Action, Actor }) => {
    const { ID, Attributes } = Actor;
    const isObject = (type: string) => (value: string) => Type === type && (ID.startsWith(value) || Attributes['name'] === value);
    return (
      one('type', (value) => Type === value) &&
      one('event', (value) => Action === value || Action.startsWith(`${value}:`)) &&
      one('container', isObject('container')) &&
      one('network', isObject('network')) &&
      one('volume', isObject('volume')) &&
      one('image', (value) => Attributes['image'] === value || (Type === 'image' && ID === value)) &&
      one('label', (value) => hasLabel(Attributes, value))
    );
  };
}
