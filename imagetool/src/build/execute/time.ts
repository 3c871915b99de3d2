/** SOURCE_DATE_EPOCH stands for now where it is set. */

export function createdTime(epochSeconds: number | undefined): string {
  return epochSeconds === undefined ? new Date().toISOString() : new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
