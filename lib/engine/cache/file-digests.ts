/** SHA-256 of files, each read only if it changed since it was read last. */
export interface FileDigests {
  /** Lower-case hex; undefined if there is no such file. */
  of(path: string): Promise<string | undefined>;
}
