/** Where the bytes of a standard stream go. */
export interface Sink {
  /**
   * Takes all of `chunk`, which is lent for this call only. Returns true when it may be given the next one; false when it must not, until `ready`
   * has been called. One that is broken (its reader has gone for good) takes everything and forgets it.
   */
  write(chunk: Uint8Array, ready: () => void): boolean;
  /** Writes what it has kept, and ends. To be called once by each holder. */
  close(): Promise<void>;
}
