/** Waiting that a signal ends, for work that takes none: the work itself goes on until the process ends, and has to be of a kind that may be cut anywhere. */

/** Throws what `work` throws, and the signal's reason. */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // What comes of it afterwards is nobody's concern.
  work.catch(() => undefined);
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The pieces of a stream that may never come. Throws what reading throws, and the signal's reason. */
export async function* readUntilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const pieces = source[Symbol.asyncIterator]();
  for (;;) {
    const piece = await untilAborted(signal, pieces.next());
    if (piece.done === true) return;
    yield piece.value;
  }
}
