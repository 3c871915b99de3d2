import { imageHistory } from '../../image/history.ts';
import type { Command } from '../command.ts';
import { imageSource, platformOf, REMOTE } from '../image-source.ts';
import { JSON_OUTPUT, PLATFORM } from '../options.ts';
import { formatAge, formatSize, formatTable } from '../table.ts';

export const history: Command = {
  name: 'history',
  usage: '[OPTIONS] IMAGE',
  summary: 'Show how an image was made, step by step, with the sizes of its layers',
  options: [PLATFORM, REMOTE, JSON_OUTPUT, { name: 'no-trunc', help: 'do not shorten commands' }],
  positionals: [1, 1],
  async run(context, args) {
    const source = await imageSource(context, args, args.positionals[0] ?? '');
    const steps = imageHistory(await source.load(platformOf(args)));
    if (args.flag('json')) {
      context.print(JSON.stringify(steps, undefined, 2));
      return 0;
    }
    const shorten = (text: string) => (args.flag('no-trunc') || text.length <= 45 ? text : `${text.slice(0, 44)}…`);
    const nowMs = Date.now();
    const rows = steps.map((step) => [
      step.id,
      formatAge(step.created, nowMs),
      shorten(step.createdBy),
      formatSize(step.size),
      step.comment,
    ]);
    for (const line of formatTable(['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], rows)) context.print(line);
    return 0;
  },
};
