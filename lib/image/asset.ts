/** A file or folder of the user's that the plan takes along: hashed and staged when the plan is assembled. */
export class Asset {
  /** @param path relative to the folder of `image.ts`, or absolute; a trailing slash has no meaning here */
  static fromPath(path: string, type?: 'file' | 'directory'): Asset {
    return new Asset(path, undefined, type);
  }
  /** A file with this content. */
  static fromContent(content: string, name: string): Asset {
    return new Asset(name, content, 'file');
  }

  readonly path: string;
  readonly content: string | undefined;
  readonly type: 'file' | 'directory' | undefined;

  private constructor(path: string, content: string | undefined, type: 'file' | 'directory' | undefined) {
    this.path = path;
    this.content = content;
    this.type = type;
  }
}
