import { createNodeSys } from '../sys/node.ts';
import { MessageReader, MessageWriter } from './protobuf.ts';

const sys = createNodeSys();
const bytes = (writer: MessageWriter) => [...new Uint8Array(writer.finish())];

describe('MessageWriter', () => {
  it('writes varints, texts and messages in the wire format', () => {
    const inner = new MessageWriter(sys).number(1, 150);
    expect(bytes(inner)).toEqual([0x08, 0x96, 0x01]);
    expect(bytes(new MessageWriter(sys).text(2, 'testing'))).toEqual([0x12, 0x07, ...new TextEncoder().encode('testing')]);
    expect(bytes(new MessageWriter(sys).message(3, inner))).toEqual([0x1a, 0x03, 0x08, 0x96, 0x01]);
    // Fields from 16 on have a tag of two bytes.
    expect(bytes(new MessageWriter(sys).flag(34, true))).toEqual([0x90, 0x02, 0x01]);
    expect(bytes(new MessageWriter(sys).number(1, 0xffffffff))).toEqual([0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]);
  });

  it('leaves out what is undefined, and repeats what is a list', () => {
    expect(bytes(new MessageWriter(sys).number(1, undefined).text(2, undefined).flag(3, undefined).message(4, undefined))).toEqual([]);
    expect(bytes(new MessageWriter(sys).texts(1, ['a', 'b']))).toEqual([0x0a, 1, 97, 0x0a, 1, 98]);
  });
});

describe('MessageReader', () => {
  const read = (...raw: number[]) => new MessageReader(sys, new Uint8Array(raw));

  it('reads what the writer writes', () => {
    const writer = new MessageWriter(sys).number(1, 6).flag(2, true).text(9, 'ä').message(5, new MessageWriter(sys).number(2, 70_000));
    const reader = new MessageReader(sys, new Uint8Array(writer.finish()));
    expect([reader.number(1), reader.flag(2), reader.flag(3), reader.text(9), reader.message(5)?.number(2)]).toEqual([
      6,
      true,
      false,
      'ä',
      70_000,
    ]);
    expect([reader.number(4), reader.text(1), reader.message(2)]).toEqual([undefined, undefined, undefined]);
  });

  it('reads negative int32, which are written as 64 bits, and passes over fixed fields', () => {
    expect(read(0x38, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01).number(7)).toBe(-1);
    expect(read(0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 5).number(3)).toBe(5);
  });

  it.each([[[0x12, 5, 1]], [[0x08]], [[0x0b]], [[0x09, 1]]])('refuses %j', (raw) => {
    expect(() => read(...raw)).toThrow(RangeError);
  });
});
