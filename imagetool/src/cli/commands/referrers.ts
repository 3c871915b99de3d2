import { parseReference, withDefaultTag } from '../../reference/reference.ts';
import type { Command } from '../command.ts';
import { JSON_OUTPUT } from '../options.ts';
import { formatSize, formatTable } from '../table.ts';

export const referrers: Command = {
  name: 'referrers',
  usage: '[OPTIONS] NAME[:TAG][@DIGEST]',
  summary: 'List what refers to an image at a registry: signatures, SBOMs, attestations',
  options: [JSON_OUTPUT, { name: 'type', value: 'TYPE', help: 'only this artifact type' }],
  positionals: [1, 1],
  async run(context, args) {
    const { fetchManifest } = await import('../../registry/manifests.ts');
    const { listReferrers } = await import('../../registry/referrers.ts');
    const { tag = 'latest', ...reference } = withDefaultTag(parseReference(args.positionals[0] ?? ''));
    const client = await context.client(reference);
    const digest = reference.digest ?? (await fetchManifest(client, reference.path, tag)).descriptor.digest;
    const found = await listReferrers(client, reference.path, digest, args.value('type'));
    if (args.flag('json')) context.print(JSON.stringify(found, undefined, 2));
    else {
      const rows = found.map((one) => [one.artifactType ?? one.mediaType, one.digest, formatSize(one.size)]);
      context.print(formatTable(['TYPE', 'DIGEST', 'SIZE'], rows).join('\n'));
    }
    return 0;
  },
};
