import { eraseCredentials, storeCredentials } from '../../registry/credentials.ts';
import { usage } from '../args.ts';
import type { Command } from '../command.ts';

export const login: Command = {
  name: 'login',
  usage: '[OPTIONS] [HOST]',
  summary: 'Store a login for a registry, after trying it',
  options: [
    { name: 'username', short: 'u', value: 'NAME', help: 'user name' },
    { name: 'password', short: 'p', value: 'SECRET', help: 'password; others on this machine can see it' },
    { name: 'password-stdin', help: 'read the password from standard input' },
  ],
  positionals: [0, 1],
  async run(context, args) {
    const host = args.positionals[0] ?? 'docker.io';
    const username = args.value('username');
    const password = args.flag('password-stdin') ? await readStandardInput() : args.value('password');
    if (username === undefined || password === undefined) throw usage('login needs --username and --password-stdin');
    await (await context.client({ domain: host, path: '' }, { username, password })).ping();
    await storeCredentials(context.env, host, { username, password });
    context.print('Login Succeeded');
    return 0;
  },
};

export const logout: Command = {
  name: 'logout',
  usage: '[HOST]',
  summary: 'Forget the login for a registry',
  options: [],
  positionals: [0, 1],
  async run(context, args) {
    const host = args.positionals[0] ?? 'docker.io';
    const had = await eraseCredentials(context.env, host);
    context.print(had ? `Removing login credentials for ${host}` : `Not logged in to ${host}`);
    return 0;
  },
};

async function readStandardInput(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  return text.replace(/\r?\n$/, '');
}
