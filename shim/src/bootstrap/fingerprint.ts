/** A short name for long ones: FNV-1a with 64 bits. It tells apart what one administrator has on one machine, not what an attacker makes up. */
const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

export class Fingerprint {
  #hash = OFFSET;

  /** Texts are kept apart: `ab`, `c` is not `a`, `bc`. */
  add(text: string): this {
    for (let index = 0; index < text.length; index++) {
      this.#mix(text.charCodeAt(index));
    }
    this.#mix(0xffff);
    return this;
  }

  hex(): string {
    return this.#hash.toString(16).padStart(16, '0');
  }

  #mix(unit: number): void {
    this.#hash = BigInt.asUintN(64, (this.#hash ^ BigInt(unit)) * PRIME);
  }
}
