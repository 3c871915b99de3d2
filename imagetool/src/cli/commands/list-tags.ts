import { parseReference } from '../../reference/reference.ts';
import { listRepositories, listTags } from '../../registry/manifests.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';

export const listTagsCommand: Command = {
  name: 'list-tags',
  usage: '[OPTIONS] NAME',
  summary: 'List the tags of a repository at a registry',
  options: [JSON_OUTPUT],
  positionals: [1, 1],
  async run(context, args) {
    const reference = parseReference(args.positionals[0] ?? '');
    const tags = await listTags(await context.client(reference), reference.path);
    if (args.flag('json')) context.print(JSON.stringify(tags));
    else for (const tag of tags) context.print(tag);
    return 0;
  },
};

export const catalog: Command = {
  name: 'catalog',
  usage: '[OPTIONS] HOST',
  summary: 'List the repositories of a registry, where it lets itself be asked',
  options: [JSON_OUTPUT],
  positionals: [1, 1],
  async run(context, args) {
    const names = await listRepositories(await context.client({ domain: args.positionals[0] ?? '', path: '' }));
    if (args.flag('json')) context.print(JSON.stringify(names));
    else for (const name of names) context.print(name);
    return 0;
  },
};
