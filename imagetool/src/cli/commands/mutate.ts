import type { ContainerConfig } from '../../../../specs/image/config.ts';
import { commitImage } from '../../image/commit.ts';
import { changedConfig } from '../../image/config-changes.ts';
import { findStoredImage } from '../../image/find.ts';
import { loadImage } from '../../image/load.ts';
import { hostPlatform } from '../../image/platform.ts';
import { type ParsedArgs, usage } from '../args.ts';
import type { Command } from '../command.ts';
import { createdTime, sourceEpoch } from '../epoch.ts';
import { keepImage } from '../keep-image.ts';
import { CHANGE } from '../options.ts';

export const mutate: Command = {
  name: 'mutate',
  usage: '[OPTIONS] IMAGE [NAME[:TAG]]',
  summary: 'Make an image with another configuration',
  options: [
    CHANGE,
    { name: 'env', short: 'e', value: 'NAME=VALUE', help: 'set a variable; may be repeated' },
    { name: 'label', short: 'l', value: 'NAME=VALUE', help: 'set a label; may be repeated' },
    { name: 'cmd', value: 'WORDS', help: 'the command: words, or a JSON list' },
    { name: 'entrypoint', value: 'WORDS', help: 'what comes before the command' },
    { name: 'user', short: 'u', value: 'USER[:GROUP]', help: 'whom it runs as' },
    { name: 'workdir', short: 'w', value: 'DIR', help: 'where it runs' },
  ],
  positionals: [1, 2],
  async run(context, args) {
    const [source = '', name] = args.positionals;
    const store = await context.store();
    const base = await loadImage(store.layout, (await findStoredImage(store.layout, source)).descriptor, hostPlatform());
    const image = await keepImage(store, name, (lease) =>
      commitImage(store, lease, base, undefined, {
        created: createdTime(sourceEpoch(context.env)),
        createdBy: 'tsimg mutate',
        edit: (config) => changedConfig(edited(config, args), args.values('change')),
      }),
    );
    context.print(image.digest);
    return 0;
  },
};

function edited(config: ContainerConfig, args: ParsedArgs): ContainerConfig {
  const [cmd, entrypoint, user, workdir] = ['cmd', 'entrypoint', 'user', 'workdir'].map((name) => args.value(name));
  const env = args.values('env').map(pair);
  const labels = args.values('label').map(pair);
  const kept = (config.Env ?? []).filter((one) => !env.some(([name]) => one.startsWith(`${name}=`)));
  return {
    ...config,
    ...(env.length === 0 ? {} : { Env: [...kept, ...env.map(([name, value]) => `${name}=${value}`)] }),
    ...(labels.length === 0 ? {} : { Labels: { ...config.Labels, ...Object.fromEntries(labels) } }),
    // As in a Dockerfile: a new entry point has no use for the old command.
    ...(entrypoint === undefined ? {} : { Entrypoint: words(entrypoint), Cmd: [] }),
    ...(cmd === undefined ? {} : { Cmd: words(cmd) }),
    ...(user === undefined ? {} : { User: user }),
    ...(workdir === undefined ? {} : { WorkingDir: workdir }),
  };
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0) throw usage(`${JSON.stringify(text)} is not NAME=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function words(text: string): string[] {
  if (!text.trimStart().startsWith('[')) return text.split(/\s+/).filter((word) => word !== '');
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value) || !value.every((one): one is string => typeof one === 'string'))
    throw usage(`${text} is not a list of strings`);
  return value;
}
