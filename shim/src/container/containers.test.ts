import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  beginContainer,
  claimName,
  findId,
  listContainers,
  readState,
  removeContainerFiles,
  renameContainer,
  writeRecord,
  writeState,
} from './containers.ts';
import { containerPlaces, type Places, placesAt } from './places.ts';
import { processStartTime } from './processes.ts';
import { NEW_STATE } from './record.ts';
import { recordOf } from './test/record.ts';

const [A, B] = ['a'.repeat(63), 'ab'.repeat(32)].map((text) => text.padEnd(64, '0')) as [string, string];

let directory: string;
let places: Places;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'containers-'));
  places = placesAt(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function make(id: string, name: string, Created = '2026-01-01T00:00:00Z') {
  beginContainer(places, id);
  const record = recordOf({ Id: id, Name: claimName(places, name, id), Created });
  writeState(places, id, NEW_STATE);
  writeRecord(places, record);
  return record;
}

describe('names', () => {
  it('belong to one container, until it is removed or renamed', () => {
    const record = make(A, 'web');
    expect(() => claimName(places, 'web', B)).toThrow(`The container name "/web" is already in use by container "${A}"`);
    renameContainer(places, record, 'old-web');
    make(B, 'web');
    expect([findId(places, 'web'), findId(places, '/old-web')]).toEqual([B, A]);
    removeContainerFiles(places, A);
    expect(() => findId(places, 'old-web')).toThrow('No such container: old-web');
    expect(readdirSync(places.names)).toEqual(['web']);
  });

  it('are given again when their maker was killed before it had made anything', () => {
    mkdirSync(places.names, { recursive: true });
    symlinkSync(A, join(places.names, 'web'));
    expect(claimName(places, 'web', B)).toBe('web');
  });

  it('are kept while their maker is at it', () => {
    beginContainer(places, A);
    claimName(places, 'web', A);
    expect(() => claimName(places, 'web', B)).toThrow('is already in use');
  });

  it.each(['', 'a', '-x', 'a b', 'a/b', '../x'])('refuses %j', (name) => {
    expect(() => claimName(places, name, A)).toThrow('Invalid container name');
  });

  it('are found where none is given', () => {
    expect(claimName(places, undefined, A)).toMatch(/^[a-z]+_[a-z]+\d?$/);
  });
});

describe('findId', () => {
  it('takes the beginning of one id, not of two', () => {
    make(A, 'one');
    make(B, 'two');
    expect(findId(places, 'ab')).toBe(B);
    expect(findId(places, A)).toBe(A);
    expect(() => findId(places, 'a')).toThrow('multiple IDs found with provided prefix: a');
    expect(() => findId(places, 'c')).toThrow('No such container: c');
  });
});

describe('files that a crash of the machine has emptied', () => {
  it('hold up neither the list nor whoever wants the name', () => {
    make(A, 'one');
    make(B, 'two');
    for (const path of [containerPlaces(places, A).record, containerPlaces(places, B).state]) writeFileSync(path, '');
    expect(listContainers(places).map(({ record, state }) => [record.Name, state.status])).toEqual([['two', 'created']]);
    removeContainerFiles(places, A, 'one');
    expect(readdirSync(places.names)).toEqual(['two']);
  });
});

describe('readState', () => {
  const own = { pid: process.pid, startTime: processStartTime(process.pid) ?? '' };
  const gone = { ...NEW_STATE, status: 'running', pid: process.pid, pidStartTime: '1' } as const;

  it('sees that a process is gone, though nobody has written it down', () => {
    make(A, 'one');
    writeState(places, A, gone);
    expect(readState(places, A)).toMatchObject({ status: 'exited', pid: 0, exitCode: 255 });
    writeState(places, A, { ...gone, pidStartTime: own.startTime });
    expect(readState(places, A).status).toBe('running');
  });

  it('leaves it to a supervisor that lives', () => {
    make(A, 'one');
    writeState(places, A, { ...gone, supervisor: own });
    expect(readState(places, A).status).toBe('running');
  });
});

describe('listContainers', () => {
  it('has the newest first, and not what is only being made', () => {
    make(A, 'old', '2026-01-01T00:00:00Z');
    make(B, 'new', '2026-01-02T00:00:00Z');
    beginContainer(places, 'c'.repeat(64));
    expect(listContainers(places).map(({ record }) => record.Name)).toEqual(['new', 'old']);
  });
});
