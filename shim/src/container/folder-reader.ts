/** Reading of a data root, as both engines can: see node-folder-reader.ts and sys-folder-reader.ts. What is missing is no error. */
export interface FolderReader {
  /** The text of a file; undefined where there is none, or where it is that of a process that has ended. */
  text(path: string): string | undefined;
  /** Names in a directory, in any order; none where there is no directory. */
  names(path: string): readonly string[];
  /** Where a symbolic link leads; undefined where there is no link. */
  link(path: string): string | undefined;
}
