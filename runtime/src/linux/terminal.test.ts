import { endOfFileCharacter, rawModes, withoutCarriageReturns } from './terminal.ts';

/** The modes of a new pseudo-terminal (drivers/tty/tty_io.c, tty_std_termios). */
function standardModes(): ArrayBuffer {
  const modes = new ArrayBuffer(36);
  const view = new DataView(modes);
  for (const [index, flags] of [0x500, 0x5, 0xbf, 0x8a3b].entries()) view.setUint32(index * 4, flags, true);
  new Uint8Array(modes).set([3, 28, 127, 21, 4, 0, 1], 17);
  return modes;
}

function flags(modes: ArrayBuffer): number[] {
  const view = new DataView(modes);
  return [0, 4, 8, 12].map((offset) => view.getUint32(offset, true));
}

describe('rawModes', () => {
  it('leaves no treatment of input and output', () => {
    const modes = standardModes();
    expect(flags(rawModes(modes, { keepOutput: false }))).toEqual([0, 0x4, 0xbf, 0x0a30]);
    expect(flags(modes)).toEqual([0x500, 0x5, 0xbf, 0x8a3b]);
  });

  it('keeps the treatment of output where others write', () => {
    expect(flags(rawModes(standardModes(), { keepOutput: true }))[1]).toBe(0x5);
  });
});

describe('withoutCarriageReturns', () => {
  it('keeps everything else', () => {
    expect(flags(withoutCarriageReturns(standardModes()))).toEqual([0x500, 0x1, 0xbf, 0x8a3b]);
  });
});

describe('endOfFileCharacter', () => {
  it('is ^D for a reader of lines, and none for a reader of keys', () => {
    expect(endOfFileCharacter(standardModes())).toBe(4);
    expect(endOfFileCharacter(rawModes(standardModes(), { keepOutput: false }))).toBeUndefined();
  });
});
