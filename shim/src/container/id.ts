/** Ids of containers and networks: 64 hexadecimal digits, called by 12 or by any unique beginning. */

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
