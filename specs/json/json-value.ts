/** What `parseJson` makes of a text. Objects have no prototype, so no key of the input can meet an inherited name. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}
