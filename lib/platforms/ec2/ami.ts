import { BakeError } from '../../core/bake-error.js';

const brand = Symbol.for('bake-sdk.Ami');

/** How an image is found, as data. */
export type AmiQuery =
  | { readonly type: 'id'; readonly id: string }
  | { readonly type: 'ssm'; readonly name: string }
  | { readonly type: 'filter'; readonly owners: readonly string[]; readonly filters: Readonly<Record<string, readonly string[]>>; readonly includeDeprecated?: boolean };

/** The image that a machine starts from. `Ami.fromId` and `AmiLookup.mostRecent` make one. */
export class Ami {
  static isAmi(value: unknown): value is Ami {
    return typeof value === 'object' && value !== null && brand in value;
  }
  /** A certain image. @param id such as `ami-0abcdef1234567890` */
  static fromId(id: string): Ami {
    if (!/^ami-[0-9a-f]{8,17}$/.test(id)) throw new BakeError({ code: 'InvalidAmi', message: `"${id}" is not the id of an AMI`, hint: 'an id is ami- and 8 or 17 hex digits; AmiLookup.mostRecent finds one by its name' });
    return new Ami({ type: 'id', id }, id);
  }

  readonly query: AmiQuery;
  /** For people. */
  readonly title: string;

  /** Not for users. */
  constructor(query: AmiQuery, title: string) {
    Object.defineProperty(this, brand, { value: true });
    this.query = query;
    this.title = title;
  }
}

export interface AmiLookupProps {
  /** Account ids, or `self`, `amazon`, `aws-marketplace`. Anybody can publish an image under any name, so one must be given. */
  readonly owners: readonly string[];
  /** The image's name; `*` and `?` stand for others. @default - any name */
  readonly name?: string;
  /** @default 'x86_64' */
  readonly architecture?: 'x86_64' | 'arm64' | 'i386' | 'x86_64_mac' | 'arm64_mac';
  /** More filters of DescribeImages, such as `{ 'tag:role': 'base' }`. @default - EBS-backed HVM images that are available */
  readonly filters?: Readonly<Record<string, string | readonly string[]>>;
  /** Images that their owner has deprecated count too. @default false */
  readonly includeDeprecated?: boolean;
}

/** Finds an image when the plan is carried out; `bake.lock.json` pins what was found. */
export const AmiLookup = {
  /**
   * The newest image that matches.
   * @example AmiLookup.mostRecent({ owners: ['136693071363'], name: 'debian-12-amd64-*' })
   */
  mostRecent({ owners, name, architecture = 'x86_64', filters = {}, includeDeprecated }: AmiLookupProps): Ami {
    if (owners === undefined || owners.length === 0) throw new BakeError({ code: 'NoOwners', message: 'nothing says whose image it must be, and anybody can publish one under any name', hint: "give owners: account ids, 'self' or 'amazon'" });
    const more = Object.entries(filters).map(([key, value]) => [key, typeof value === 'string' ? [value] : value] as const);
    const all = { 'architecture': [architecture], 'root-device-type': ['ebs'], 'state': ['available'], 'virtualization-type': ['hvm'], ...(name === undefined ? {} : { name: [name] }), ...Object.fromEntries(more) };
    return new Ami({ type: 'filter', owners: [...owners], filters: all, ...(includeDeprecated === true ? { includeDeprecated } : {}) }, name ?? `an image of ${owners.join(', ')}`);
  },
  /**
   * The image that a parameter of Systems Manager names, as those that vendors keep up to date do. Its value is an id, or JSON with an `image_id`.
   * @example AmiLookup.fromSsmParameter('/aws/service/debian/release/12/latest/amd64')
   */
  fromSsmParameter(name: string): Ami {
    if (!/^(arn:aws[\w-]*:ssm:[\w-]+:\d{12}:parameter)?[a-zA-Z0-9_.\-/]+(:[a-zA-Z0-9_.-]+)?$/.test(name)) throw new BakeError({ code: 'InvalidSsmParameter', message: `"${name}" is not the name of a parameter`, hint: 'a name has letters, digits and . - _ /, such as /web/base-ami; a version or label may follow after a colon' });
    return new Ami({ type: 'ssm', name }, name);
  },
} as const;
