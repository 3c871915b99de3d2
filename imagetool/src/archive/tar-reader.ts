/**
 * Reads a tar archive from chunks of any size. Reads POSIX ustar and PAX, GNU (long names, base-256 numbers, sparse files in all four formats) and
 * the format of before POSIX. An archive may end without its two zero blocks, but not within an entry.
 */

import { ByteQueue } from './byte-queue.ts';
import { buildEntry, type Extensions, NO_EXTENSIONS } from './entry-builder.ts';
import { parsePax } from './pax.ts';
import { checkRegions, oldSparseInBlock, oldSparseInHeader, paxSparse, SparseMapReader } from './sparse.ts';
import { type SparseRegion, type TarEntry, TarError, type TarEvent } from './tar-entry.ts';
import { BLOCK_BYTES, FIELD, isChecksumRight, isZeroBlock, paddingAfter, readNumber, readText } from './tar-header.ts';

export interface TarLimits {
  /** Of one extended header: the kernel takes no more xattrs than 64 KiB a file, and no longer paths than 4 KiB. */
  readonly maxExtensionBytes: number;
  readonly maxEntries: number;
  /** Of all files together, holes included. */
  readonly maxContentBytes: number;
  readonly maxSparseRegions: number;
}

export const DEFAULT_LIMITS: TarLimits = {
  maxExtensionBytes: 1024 * 1024,
  maxEntries: 20_000_000,
  maxContentBytes: 2 ** 50,
  maxSparseRegions: 1_000_000,
};

/** Nothing to tell yet, and no more input needed for the next step. */
const GO_ON = Symbol('go on');
type Step = () => TarEvent | typeof GO_ON | undefined;

export class TarReader {
  readonly #limits: TarLimits;
  readonly #queue = new ByteQueue();
  #extensions: Extensions = NO_EXTENSIONS;
  #entries = 0;
  #contentBytes = 0;
  #step: Step = () => this.#readHeader();

  constructor(limits: Partial<TarLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Takes a chunk and yields what can be told with it. Must be iterated to its end before the next call. The bytes of data events lie in the
   * chunk's memory. Throws TarError; the reader is of no use after that.
   */
  *push(chunk: Uint8Array): Generator<TarEvent, void, void> {
    this.#queue.push(chunk);
    for (let event = this.#step(); event !== undefined; event = this.#step()) {
      if (event !== GO_ON) yield event;
    }
  }

  /**
   * To be called after the last chunk; may have one more event. Throws TarError if the archive ends in the middle.
   * A last file without its padding is taken for whole, as Go's reader does: there are writers in use that forget it.
   */
  finish(): TarEvent[] {
    if (this.#isInPadding) return [{ kind: 'end' }];
    const isAtBorder = this.#isBetweenEntries && this.#queue.length === 0 && this.#extensions === NO_EXTENSIONS;
    if (!isAtBorder && !this.#hasEnded) throw new TarError('it ends in the middle of an entry');
    return [];
  }

  #isBetweenEntries = true;
  #isInPadding = false;
  #hasEnded = false;

  #readHeader(): ReturnType<Step> {
    this.#isBetweenEntries = true;
    const block = this.#queue.take(BLOCK_BYTES);
    if (block === undefined) return undefined;
    if (isZeroBlock(block)) return this.#become(() => this.#readSecondZero());
    if (!isChecksumRight(block)) throw new TarError('a header has a wrong checksum');
    this.#isBetweenEntries = false;
    const type = readText(block, FIELD.type);
    if (type === 'x' || type === 'g' || type === 'X' || type === 'L' || type === 'K') return this.#startExtension(block, type);
    this.#entries += 1;
    if (this.#entries > this.#limits.maxEntries) throw new TarError(`it has more than ${this.#limits.maxEntries} entries`);
    const extensions = this.#extensions;
    this.#extensions = NO_EXTENSIONS;
    return this.#startEntry(block, buildEntry(block, extensions), extensions);
  }

  #readSecondZero(): ReturnType<Step> {
    const block = this.#queue.take(BLOCK_BYTES);
    if (block === undefined) return undefined;
    if (!isZeroBlock(block)) throw new TarError('a block of zeros stands between entries');
    this.#hasEnded = true;
    return this.#become(() => this.#discardRest());
  }

  /** Writers pad archives to their blocking factor; whatever it is, it is no longer archive. */
  #discardRest(): ReturnType<Step> {
    return this.#queue.takeUpTo(this.#queue.length).length > 0 ? GO_ON : undefined;
  }

  #startExtension(block: Buffer, type: string): ReturnType<Step> {
    const size = readNumber(block, FIELD.size);
    if (size < 0 || size > this.#limits.maxExtensionBytes) throw new TarError(`an extended header is ${size} bytes long`);
    return this.#become(() => {
      const bytes = this.#queue.take(size + paddingAfter(size));
      if (bytes === undefined) return undefined;
      this.#extend(type, bytes.subarray(0, size));
      return this.#become(() => this.#readHeader());
    });
  }

  #extend(type: string, bytes: Buffer): void {
    if (type === 'g') return;
    if (type === 'L' || type === 'K') {
      const nul = bytes.indexOf(0);
      const text = bytes.toString('latin1', 0, nul < 0 ? bytes.length : nul);
      this.#extensions = { ...this.#extensions, ...(type === 'L' ? { longName: text } : { longLink: text }) };
      return;
    }
    this.#extensions = { ...this.#extensions, records: [...this.#extensions.records, ...parsePax(Buffer.from(bytes))] };
  }

  #startEntry(block: Buffer, entry: TarEntry, extensions: Extensions): ReturnType<Step> {
    if (readText(block, FIELD.type) === 'S') return this.#startOldSparse(block, entry);
    const sparse = extensions.records.length > 0 && entry.type === 'file' ? paxSparse(extensions.records) : undefined;
    if (sparse === undefined) return this.#emitEntry(entry, entry.size, undefined);
    const named = { ...entry, size: sparse.realSize, ...(sparse.name === undefined ? {} : { path: sparse.name }) };
    if (sparse.regions !== undefined) return this.#emitEntry(named, entry.size, sparse.regions);
    return this.#readSparseMap(named, entry.size);
  }

  #startOldSparse(block: Buffer, entry: TarEntry): ReturnType<Step> {
    const { regions, hasMore } = oldSparseInHeader(block);
    const whole = { ...entry, size: readNumber(block, FIELD.gnuRealSize) };
    return hasMore ? this.#readOldSparseBlocks(whole, entry.size, regions) : this.#emitEntry(whole, entry.size, regions);
  }

  #readOldSparseBlocks(entry: TarEntry, dataBytes: number, regions: SparseRegion[]): ReturnType<Step> {
    return this.#become(() => {
      const block = this.#queue.take(BLOCK_BYTES);
      if (block === undefined) return undefined;
      const more = oldSparseInBlock(block);
      regions.push(...more.regions);
      if (regions.length > this.#limits.maxSparseRegions)
        throw new TarError(`a sparse file has more than ${this.#limits.maxSparseRegions} regions`);
      return more.hasMore ? GO_ON : this.#emitEntry(entry, dataBytes, regions);
    });
  }

  #readSparseMap(entry: TarEntry, storedBytes: number): ReturnType<Step> {
    const reader = new SparseMapReader(this.#limits.maxSparseRegions);
    let mapBytes = 0;
    return this.#become(() => {
      const block = this.#queue.take(BLOCK_BYTES);
      if (block === undefined) return undefined;
      mapBytes += BLOCK_BYTES;
      if (mapBytes > storedBytes) throw new TarError('a sparse map is longer than its file');
      const regions = reader.push(block);
      return regions === undefined ? GO_ON : this.#emitEntry(entry, storedBytes - mapBytes, regions);
    });
  }

  #emitEntry(entry: TarEntry, dataBytes: number, regions: readonly SparseRegion[] | undefined): TarEvent {
    this.#contentBytes += entry.size;
    if (this.#contentBytes > this.#limits.maxContentBytes) {
      throw new TarError(`its files have more than the ${this.#limits.maxContentBytes} bytes allowed`);
    }
    if (regions !== undefined) checkRegions(regions, entry.size, dataBytes);
    this.#readContent(
      dataBytes,
      (regions ?? [{ offset: 0, length: dataBytes }]).filter((region) => region.length > 0),
    );
    return { kind: 'entry', entry: regions === undefined ? entry : { ...entry, sparse: regions } };
  }

  #readContent(dataBytes: number, regions: readonly SparseRegion[]): void {
    let index = 0;
    let inRegion = 0;
    this.#become(() => {
      const region = regions[index];
      if (region === undefined) return this.#readPadding(paddingAfter(dataBytes));
      const bytes = this.#queue.takeUpTo(region.length - inRegion);
      if (bytes.length === 0) return undefined;
      const offset = region.offset + inRegion;
      inRegion += bytes.length;
      if (inRegion === region.length) {
        index += 1;
        inRegion = 0;
      }
      return { kind: 'data', offset, bytes };
    });
  }

  #readPadding(count: number): ReturnType<Step> {
    this.#isInPadding = true;
    return this.#become(() => {
      if (this.#queue.take(count) === undefined) return undefined;
      this.#isInPadding = false;
      this.#become(() => this.#readHeader());
      return { kind: 'end' };
    });
  }

  #become(step: Step): typeof GO_ON {
    this.#step = step;
    return GO_ON;
  }
}

/** Events of an archive that comes as a stream. */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: Partial<TarLimits> = {}): AsyncGenerator<TarEvent, void, void> {
  const reader = new TarReader(limits);
  for await (const chunk of source) yield* reader.push(chunk);
  yield* reader.finish();
}
