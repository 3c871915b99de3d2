/** Whether an error of Node's has one of these codes (`ENOENT`). Not by its class, which a test's realm has another of. */
export function isNodeError(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(String(error.code));
}

/** What an error says, whoever has thrown it. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
