/** An SSH agent with the keys it was made with: it lists them and signs, and refuses all else (draft-miller-ssh-agent). */

import type { Identity } from './identity.ts';
import { WireError, WireReader, wireString, wireUint32 } from './wire.ts';

const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** OpenSSH's own limit. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/** One client's side: messages come in pieces. */
export class AgentConversation {
  readonly #identities: readonly Identity[];
  #pending: Buffer = Buffer.alloc(0);

  constructor(identities: readonly Identity[]) {
    this.#identities = identities;
  }

  /** The answers to all messages that are complete with this piece. Throws WireError for a message that is too long: nothing after it can be understood. */
  receive(piece: Buffer): Buffer {
    this.#pending = Buffer.concat([this.#pending, piece]);
    const answers: Buffer[] = [];
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32BE(0);
      if (length > MAX_MESSAGE_BYTES) throw new WireError(`a message of ${length} bytes`);
      if (this.#pending.length < 4 + length) break;
      answers.push(wireString(answer(this.#identities, this.#pending.subarray(4, 4 + length))));
      this.#pending = this.#pending.subarray(4 + length);
    }
    return Buffer.concat(answers);
  }
}

function answer(identities: readonly Identity[], message: Buffer): Buffer {
  try {
    const fields = new WireReader(message.subarray(1));
    if (message[0] === REQUEST_IDENTITIES) return listOf(identities);
    if (message[0] !== SIGN_REQUEST) return Buffer.of(FAILURE);
    const [publicKey, data, flags] = [fields.string(), fields.string(), fields.uint32()];
    const identity = identities.find((one) => one.publicKey.equals(publicKey));
    return identity === undefined ? Buffer.of(FAILURE) : Buffer.concat([Buffer.of(SIGN_RESPONSE), wireString(identity.sign(data, flags))]);
  } catch (error) {
    if (error instanceof WireError) return Buffer.of(FAILURE);
    throw error;
  }
}

function listOf(identities: readonly Identity[]): Buffer {
  const lines = identities.flatMap(({ publicKey, comment }) => [wireString(publicKey), wireString(comment)]);
  return Buffer.concat([Buffer.of(IDENTITIES_ANSWER), wireUint32(identities.length), ...lines]);
}
