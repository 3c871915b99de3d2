/** A container's record, read from its file as a command does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ContainerRecord, lastRecord } from '../src/state/record.ts';

export function recordFile(root: string, id: string): string {
  return join(root, id, 'state.jsonl');
}

export function recordOf(root: string, id: string): ContainerRecord {
  const path = recordFile(root, id);
  const record = lastRecord(readFileSync(path, 'utf8'), path);
  if (record === undefined) throw new Error(`${path} holds no record`);
  return record;
}
