import { type FoundRepository, searchRepositories } from '../../registry/search.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';
import { formatTable } from '../table.ts';

const DESCRIPTION_WIDTH = 45;

export const search: Command = {
  name: 'search',
  usage: '[OPTIONS] [HOST/]TERM',
  summary: 'Search Docker Hub, or another registry that lets itself be searched',
  options: [
    { name: 'limit', value: 'N', help: 'at most so many, 1 to 100 (default 25)' },
    { name: 'filter', short: 'f', value: 'FILTER', help: 'is-official=true|false or stars=N; may be repeated' },
    { name: 'no-trunc', help: 'do not shorten descriptions' },
    JSON_OUTPUT,
  ],
  positionals: [1, 1],
  async run(context, args) {
    const { host, term } = splitTerm(args.positionals[0] ?? '');
    const limit = args.value('limit') ?? '25';
    if (!/^(?:[1-9]\d?|100)$/.test(limit)) throw usage('--limit needs a number from 1 to 100');
    const filters = args.values('filter').map(parseFilter);
    const client = await context.client({ domain: host, path: '' });
    const found = (await searchRepositories(client, term, Number(limit))).filter((one) => filters.every((passes) => passes(one)));
    if (args.flag('json')) {
      context.print(JSON.stringify(found, undefined, 2));
      return 0;
    }
    const shorten = (text: string) =>
      args.flag('no-trunc') || text.length <= DESCRIPTION_WIDTH ? text : `${text.slice(0, DESCRIPTION_WIDTH - 1)}…`;
    const rows = found.map((one) => [
      one.name,
      shorten(one.description.replace(/\s+/g, ' ')),
      String(one.stars),
      one.isOfficial ? '[OK]' : '',
    ]);
    for (const line of formatTable(['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL'], rows)) context.print(line);
    return 0;
  },
};

/** As in references: what has a dot or a port, or is `localhost`, is a host. */
function splitTerm(text: string): { host: string; term: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first);
  return isHost ? { host: first, term: text.slice(slash + 1) } : { host: 'docker.io', term: text };
}

function parseFilter(text: string): (one: FoundRepository) => boolean {
  const [name, value = ''] = text.split('=');
  if (name === 'is-official' && /^(?:true|false|1|0)$/.test(value)) return (one) => one.isOfficial === (value === 'true' || value === '1');
  if (name === 'stars' && /^\d+$/.test(value)) return (one) => one.stars >= Number(value);
  throw usage(`there is no filter ${JSON.stringify(text)}: is-official=true|false, stars=N`);
}
