/** Maps of sparse files, in GNU tar's four formats: old GNU, PAX 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). */

import { type PaxRecord, paxInteger } from './pax.ts';
import { type SparseRegion, TarError } from './tar-entry.ts';
import { BLOCK_BYTES, readNumber } from './tar-header.ts';

const OLD_ENTRY_BYTES = 24;
const OLD_HEADER_AT = 386;
const OLD_HEADER_ENTRIES = 4;
const OLD_MORE_AT = 482;
const OLD_BLOCK_ENTRIES = 21;
const OLD_BLOCK_MORE_AT = 504;

/** Regions in the header block itself of an old GNU sparse file, and whether a block with more follows. */
export function oldSparseInHeader(block: Buffer): { regions: SparseRegion[]; hasMore: boolean } {
  return { regions: oldRegions(block, OLD_HEADER_AT, OLD_HEADER_ENTRIES), hasMore: block[OLD_MORE_AT] !== 0 };
}

export function oldSparseInBlock(block: Buffer): { regions: SparseRegion[]; hasMore: boolean } {
  return { regions: oldRegions(block, 0, OLD_BLOCK_ENTRIES), hasMore: block[OLD_BLOCK_MORE_AT] !== 0 };
}

function oldRegions(block: Buffer, start: number, count: number): SparseRegion[] {
  const regions: SparseRegion[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = start + index * OLD_ENTRY_BYTES;
    if (block[at] === 0) break;
    regions.push({ offset: readNumber(block, { at, length: 12 }), length: readNumber(block, { at: at + 12, length: 12 }) });
  }
  return regions;
}

export interface PaxSparse {
  readonly realSize: number;
  /** Byte string; the entry's own name is a made-up one. */
  readonly name?: string;
  /** Undefined: the map stands before the data (format 1.0). */
  readonly regions?: readonly SparseRegion[];
}

/** What the records say of a sparse file; undefined if they do not speak of one. */
export function paxSparse(records: readonly PaxRecord[]): PaxSparse | undefined {
  const find = (key: string) => records.findLast((record) => record.key === `GNU.sparse.${key}`);
  const name = find('name');
  const named = name === undefined ? {} : { name: name.value.toString('latin1') };
  const major = find('major');
  if (major !== undefined && paxInteger(major) === 1) {
    const realSize = find('realsize');
    if (realSize === undefined) throw new TarError('a sparse file has no real size');
    return { ...named, realSize: paxInteger(realSize) };
  }
  const size = find('size');
  if (size === undefined) return undefined;
  const map = find('map');
  return {
    ...named,
    realSize: paxInteger(size),
    regions: map === undefined ? repeatedRegions(records) : mapRegions(map.value.toString('latin1')),
  };
}

function repeatedRegions(records: readonly PaxRecord[]): SparseRegion[] {
  const regions: SparseRegion[] = [];
  let offset: number | undefined;
  for (const record of records) {
    if (record.key === 'GNU.sparse.offset') offset = paxInteger(record);
    if (record.key !== 'GNU.sparse.numbytes') continue;
    if (offset === undefined) throw new TarError('a sparse map has a length without an offset');
    regions.push({ offset, length: paxInteger(record) });
    offset = undefined;
  }
  return regions;
}

function mapRegions(text: string): SparseRegion[] {
  if (text === '') return [];
  const numbers = text.split(',').map((digits) => decimal(digits));
  if (numbers.length % 2 !== 0) throw new TarError('a sparse map is malformed');
  return pairs(numbers);
}

/** Gathers the map of format 1.0, which stands before the data: a count, then offsets and lengths, one a line, padded to a block. */
export class SparseMapReader {
  #text = '';
  readonly #numbers: number[] = [];
  readonly #maxRegions: number;

  constructor(maxRegions: number) {
    this.#maxRegions = maxRegions;
  }

  /** Takes one block. Returns the regions when the map is complete. */
  push(block: Buffer): SparseRegion[] | undefined {
    this.#text += block.toString('latin1');
    for (let newline = this.#text.indexOf('\n'); newline >= 0; newline = this.#text.indexOf('\n')) {
      this.#numbers.push(decimal(this.#text.slice(0, newline)));
      this.#text = this.#text.slice(newline + 1);
      const [count = 0] = this.#numbers;
      if (count > this.#maxRegions) throw new TarError(`a sparse file has ${count} regions`);
      if (this.#numbers.length === 1 + 2 * count) return pairs(this.#numbers.slice(1));
    }
    if (this.#text.length > BLOCK_BYTES) throw new TarError('a sparse map is malformed');
    return undefined;
  }
}

/** Throws TarError unless the regions are in order, apart, inside the file, and as long together as the data. */
export function checkRegions(regions: readonly SparseRegion[], realSize: number, dataBytes: number): void {
  let end = 0;
  let total = 0;
  for (const { offset, length } of regions) {
    if (offset < end || length < 0 || offset + length > realSize)
      throw new TarError('a sparse map has regions out of order or outside the file');
    end = offset + length;
    total += length;
  }
  if (total !== dataBytes) throw new TarError('a sparse map does not agree with the size of the data');
}

function decimal(digits: string): number {
  const value = Number(digits);
  if (!/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(value)) throw new TarError('a sparse map holds something that is not a number');
  return value;
}

function pairs(numbers: readonly number[]): SparseRegion[] {
  const regions: SparseRegion[] = [];
  for (let at = 0; at + 1 < numbers.length; at += 2) regions.push({ offset: numbers[at] ?? 0, length: numbers[at + 1] ?? 0 });
  return regions;
}
