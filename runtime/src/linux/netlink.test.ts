import { createNodeSys } from '../sys/node.ts';
import { decodeAttributes, encodePayload, nulTerminated, textOf, uint32Value } from './netlink.ts';
import { addressText, decodeAddress, decodeLink } from './netlink-route.ts';

const sys = createNodeSys();

function bytes(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer;
}

describe('encodePayload', () => {
  it('puts attributes at multiples of four bytes behind the structure', () => {
    const payload = encodePayload(bytes(1, 2, 3, 4, 5, 6), [
      [3, nulTerminated(sys, 'eth0')],
      [28, uint32Value(9)],
    ]);
    expect([...new Uint8Array(payload)]).toEqual([
      ...[1, 2, 3, 4, 5, 6, 0, 0],
      ...[9, 0, 3, 0, 0x65, 0x74, 0x68, 0x30, 0, 0, 0, 0],
      ...[8, 0, 28, 0, 9, 0, 0, 0],
    ]);
  });

  it('is read again by decodeAttributes, whatever its flags', () => {
    const payload = encodePayload(bytes(1, 2, 3, 4), [
      [0x8003, nulTerminated(sys, 'lo')],
      [1, bytes(7)],
    ]);
    const attributes = decodeAttributes(payload, 4);
    expect([...attributes.keys()]).toEqual([3, 1]);
    expect(textOf(sys, attributes.get(3) ?? bytes())).toBe('lo');
    expect([...new Uint8Array(attributes.get(1) ?? bytes())]).toEqual([7]);
  });
});

describe('decodeAttributes', () => {
  it.each([
    ['a length of 0', [0, 0, 1, 0]],
    ['a length beyond the end', [200, 0, 1, 0, 5]],
    ['half a header', [8, 0]],
  ])('comes to an end at %s', (_what, rest) => {
    expect(decodeAttributes(bytes(...rest), 0).size).toBeLessThan(2);
  });
});

describe('decodeLink', () => {
  it('reads index, name and whether the device is up', () => {
    const structure = new ArrayBuffer(16);
    new DataView(structure).setInt32(4, 7, true);
    new DataView(structure).setUint32(8, 0x1043, true);
    const payload = encodePayload(structure, [[3, nulTerminated(sys, 'eth0')]]);
    expect(decodeLink(sys, { type: 16, payload })).toEqual({ index: 7, name: 'eth0', up: true });
  });
});

describe('decodeAddress', () => {
  it('takes the flags of the attribute, which has more of them', () => {
    const payload = encodePayload(bytes(2, 24, 0x80, 0, 5, 0, 0, 0), [
      [1, bytes(192, 0, 2, 2)],
      [2, bytes(192, 0, 2, 1)],
      [8, uint32Value(0x280)],
    ]);
    const address = decodeAddress({ type: 20, payload });
    expect(address).toMatchObject({ family: 2, prefixLength: 24, scope: 0, flags: 0x280, linkIndex: 5 });
    expect(addressText(address)).toBe('192.0.2.1/24');
  });

  it('does without', () => {
    const payload = encodePayload(bytes(10, 64, 0x80, 253, 5, 0, 0, 0), [
      [1, bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
    ]);
    const address = decodeAddress({ type: 20, payload });
    expect(address).toMatchObject({ scope: 253, flags: 0x80, local: undefined });
    expect(addressText(address)).toBe('2001:db8:0:0:0:0:0:1/64');
  });
});
