import { fc } from '../../../.scripts/jest/fuzz.ts';
import { ttrpc } from '../../../specs/containerd/gen/containerd.js';
import { containerd } from '../../../specs/containerd/gen/task.js';
import { bytesField, bytesOf, concat, numberOf, readFields, varintField } from './wire.ts';

const { DeleteResponse } = containerd.task.v3;
const text = (value: string) => new TextEncoder().encode(value);

describe('the wire format by hand', () => {
  it('is what protobufjs reads and writes', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.nat(255), fc.nat(2 ** 40), (pid, exitStatus, seconds) => {
        const bytes = concat([varintField(1, pid), varintField(2, exitStatus), bytesField(3, varintField(1, seconds))]);
        const message = DeleteResponse.decode(bytes);
        expect([message.pid, message.exitStatus, Number(message.exitedAt?.seconds ?? 0)]).toEqual([pid, exitStatus, seconds]);
        const fields = readFields(DeleteResponse.encode(message).finish());
        expect([numberOf(fields, 1), numberOf(fields, 2)]).toEqual([pid, exitStatus]);
      }),
    );
    const request = concat([bytesField(1, text('a.B')), bytesField(2, text('M')), varintField(4, 5e9)]);
    expect(ttrpc.Request.decode(request)).toMatchObject({ service: 'a.B', method: 'M' });
    expect(bytesOf(readFields(ttrpc.Request.encode({ payload: text('xyz') }).finish()), 3)).toEqual(text('xyz'));
  });

  it('skips what it does not know', () => {
    const fields = readFields(Uint8Array.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7]));
    expect(fields).toEqual([{ number: 3, value: 7 }]);
    expect(bytesOf(fields, 3)).toBeUndefined();
    expect(numberOf(fields, 1)).toBe(0);
  });

  it('throws on noise, and never does worse', () => {
    for (const bytes of [[0x0a, 5, 1], [0x08], [0x03], [0x00, 1], [8, ...Array<number>(10).fill(0xff), 1]]) {
      expect(() => readFields(Uint8Array.from(bytes))).toThrow(RangeError);
    }
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          readFields(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
