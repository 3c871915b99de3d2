/** Runs `body` for each item, at most `limit` at a time. The first failure stops the others by the signal and is thrown when all have ended. */
export async function inParallel<T>(
  items: Iterable<T>,
  limit: number,
  body: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const controller = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await body(item, controller.signal);
      } catch (error) {
        failure ??= { error };
        queue.length = 0;
        controller.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, queue.length) }, worker));
  if (failure !== undefined) throw failure.error;
}
