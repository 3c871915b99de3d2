import { readUntilAborted, untilAborted } from './until-aborted.ts';

const never = new Promise<never>(() => undefined);

describe('waiting until aborted', () => {
  it('gives what the work gives', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(signal, Promise.resolve(1))).resolves.toBe(1);
    await expect(untilAborted(signal, Promise.reject(new Error('work')))).rejects.toThrow('work');
  });

  it('ends with the signal’s reason, also if that came first', async () => {
    const controller = new AbortController();
    const waiting = untilAborted(controller.signal, never);
    controller.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(untilAborted(controller.signal, Promise.resolve(1))).rejects.toThrow('stopped');
  });

  it('reads a stream to its end, or to the signal', async () => {
    const controller = new AbortController();
    async function* pieces(last: Promise<unknown>): AsyncGenerator<number> {
      yield 1;
      yield 2;
      await last;
    }
    const read: number[] = [];
    for await (const piece of readUntilAborted(pieces(Promise.resolve()), controller.signal)) read.push(piece);
    expect(read).toEqual([1, 2]);
    const readOn = async (): Promise<void> => {
      for await (const piece of readUntilAborted(pieces(never), controller.signal)) if (piece === 2) controller.abort(new Error('stopped'));
    };
    await expect(readOn()).rejects.toThrow('stopped');
  });
});
