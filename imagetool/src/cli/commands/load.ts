import { createReadStream, statSync } from 'node:fs';
import { loadLayout } from '../../image/copy-layout.ts';
import { loadArchive } from '../../image/load-archive.ts';
import { LEASE_MS, takeLease } from '../../store/leases.ts';
import type { Command } from '../command.ts';

export const load: Command = {
  name: 'load',
  usage: '[OPTIONS]',
  summary: 'Take images in from an archive of docker or OCI, or from an OCI layout',
  options: [{ name: 'input', short: 'i', value: 'PATH', help: 'an archive, or the directory of a layout, instead of standard input' }],
  positionals: [0, 0],
  async run(context, args) {
    const store = await context.store();
    const input = args.value('input');
    const lease = await takeLease(store, { id: `load-${process.pid}`, expiresInMs: LEASE_MS });
    try {
      const isLayout = input !== undefined && statSync(input).isDirectory();
      const source = input === undefined || isLayout ? process.stdin : createReadStream(input, { highWaterMark: 256 * 1024 });
      const images = isLayout ? await loadLayout(store, lease, input) : await loadArchive(store, lease, source);
      for (const { name, descriptor } of images)
        context.print(name === undefined ? `Loaded image ID: ${descriptor.digest}` : `Loaded image: ${name}`);
      return 0;
    } finally {
      lease.release();
    }
  },
};
