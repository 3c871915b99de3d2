import type { Command } from '../context.ts';
import { compileTemplate } from '../format/template.ts';
import { COMMIT, VERSION } from '../listing/version-text.ts';

export function versionFacts() {
  const side = {
    Version: VERSION,
    ApiVersion: '1.43',
    GitCommit: COMMIT.slice(0, 7),
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    NodeVersion: process.version,
  };
  return { Client: side, Server: side };
}

/** There is no server: what docker says of one is said of the shim, which is of the same version. */
export const version: Command = async (context, args) => {
  const facts = versionFacts();
  const format = args.value('format');
  if (format === 'json') context.print(JSON.stringify(facts));
  else if (format !== undefined) context.print(compileTemplate(format)(facts));
  else {
    for (const [name, { Version, GitCommit, Os, Arch, NodeVersion }] of Object.entries(facts)) {
      context.print(
        `${name}: tsctl\n Version:           ${Version}\n Node version:      ${NodeVersion}\n Git commit:        ${GitCommit}\n OS/Arch:           ${Os}/${Arch}\n`,
      );
    }
  }
  return 0;
};
