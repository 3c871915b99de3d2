/** Reading of a few small files, as both engines can: see node-file-reader.ts and sys-file-reader.ts. */

export interface FileReader {
  /** The text of a file, or undefined where there is none. Throws for a file that is not UTF-8 or cannot be read. */
  text(path: string): string | undefined;
  /** Another text after every change of the file; undefined where there is none. Both engines say the same. */
  identity(path: string): string | undefined;
}
