// node .scripts/build/one-native.mjs ENTRY.ts OUTPUT: a native executable of one script, for tests. Exit status 3: it cannot be made here.
import { resolve } from 'node:path';
import { locked, Missing } from './files.mjs';
import { buildNative } from './native.mjs';

const [entry, output] = process.argv.slice(2);
if (!entry || !output) {
  console.error('usage: node .scripts/build/one-native.mjs ENTRY.ts OUTPUT');
  process.exit(2);
}
try {
  await locked(() => buildNative(resolve(entry), resolve(output)));
} catch (error) {
  if (!(error instanceof Missing)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 3;
}
