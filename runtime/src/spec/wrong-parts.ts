/** Parts of a document that have not the type they should: they are told once, and rules are kept from judging by them. */
import type { Place } from '../../../specs/schema/validate.ts';

class WrongPart extends Error {}

/** From here on, whoever reads one of these parts is broken off: see `unlessWrong`. */
export function fenceOff(places: readonly Place[]): void {
  for (const { container, key } of places) {
    Object.defineProperty(container, key, {
      get: () => {
        throw new WrongPart();
      },
      enumerable: true,
    });
  }
}

/** Does `act`, as far as it goes without reading a part that is fenced off. Returns undefined where it does not come to its end. */
export function unlessWrong<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof WrongPart) return undefined;
    throw error;
  }
}
