// The archive format of an initramfs: cpio, "newc" (Documentation/driver-api/early-userspace/buffer-format.rst of Linux).

/** @typedef {{ name: string, mode: number, content: Buffer }} Entry */

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const ALIGNMENT = 4;

/** @param {string} name @returns {Entry} */
export function directory(name) {
  return { name, mode: S_IFDIR | 0o755, content: Buffer.alloc(0) };
}

/** @param {string} name @param {Buffer | string} content @param {number} [mode] @returns {Entry} */
export function file(name, content, mode = 0o644) {
  return { name, mode: S_IFREG | mode, content: Buffer.from(content) };
}

/** Archives may follow each other in one initramfs. Owner and group are root. @param {Entry[]} entries */
export function cpio(entries) {
  const parts = [...entries, { name: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) }].map(({ name, mode, content }, index) => {
    const path = Buffer.from(`${name}\0`);
    const links = 1;
    const fields = [index + 1, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, path.length, 0];
    const header = Buffer.from(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`);
    return Buffer.concat([padded(Buffer.concat([header, path])), padded(content)]);
  });
  return Buffer.concat(parts);
}

/** @param {Buffer} bytes */
function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);
}
