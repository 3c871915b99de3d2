import { fc } from '../../../.scripts/jest/fuzz.ts';
import { encodeFrame, type Frame, FrameReader, HEADER_BYTES, MAX_FRAME_BYTES, type OversizedFrame } from './frame.ts';

const plain = (frames: Iterable<Frame | OversizedFrame>) =>
  [...frames].map((frame) => ('payload' in frame ? { ...frame, payload: Buffer.from(frame.payload).toString('hex') } : frame));

const frames = fc.array(
  fc.record({
    stream: fc.nat(0xffff_ffff),
    type: fc.nat(255),
    flags: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 8 },
);

describe('FrameReader', () => {
  it('gives back what was encoded, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(60), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((frame) => encodeFrame(frame, frame.payload)));
        const reader = new FrameReader();
        const received: unknown[] = [];
        for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
          const end = offset + 1 + (sizes[turn % sizes.length] ?? 0);
          received.push(...plain(reader.push(bytes.subarray(offset, end))));
          offset = end;
        }
        expect(received).toEqual(plain(sent));
        expect(reader.idle).toBe(true);
      }),
    );
  });

  it('throws an oversized payload away and goes on behind it', () => {
    const header = Buffer.from('0040000100000003' + '0105', 'hex');
    const reader = new FrameReader();
    expect(plain(reader.push(header))).toEqual([{ stream: 3, type: 1, flags: 5, oversized: MAX_FRAME_BYTES + 1 }]);
    expect(reader.idle).toBe(false);
    expect(plain(reader.push(Buffer.alloc(MAX_FRAME_BYTES)))).toEqual([]);
    const next = encodeFrame({ stream: 5, type: 2, flags: 0 }, Buffer.from('x'));
    expect(plain(reader.push(Buffer.concat([Buffer.alloc(1), next])))).toEqual([{ stream: 5, type: 2, flags: 0, payload: '78' }]);
    expect(reader.idle).toBe(true);
  });

  it('takes a frame of exactly the limit', () => {
    const reader = new FrameReader();
    const frame = encodeFrame({ stream: 1, type: 1, flags: 0 }, Buffer.alloc(MAX_FRAME_BYTES, 7));
    expect([...reader.push(frame.subarray(0, HEADER_BYTES + 1))]).toEqual([]);
    const [received] = reader.push(frame.subarray(HEADER_BYTES + 1));
    expect(received !== undefined && 'payload' in received && received.payload.length).toBe(MAX_FRAME_BYTES);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        const reader = new FrameReader();
        for (const chunk of chunks) {
          for (const frame of reader.push(Buffer.from(chunk))) {
            expect('oversized' in frame ? frame.oversized : frame.payload.length).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });
});
