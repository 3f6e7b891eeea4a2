import type { IConstruct } from 'constructs';
import { lateValueAsText, Secret } from '../core/secret.js';

/** The values of the machine being built that a provisioner or post-processor may name; see `build`. */
export const buildVariableNames = [
  'name', 'id', 'host', 'port', 'user', 'password', 'platform', 'runId', 'sshPublicKey', 'sshPrivateKeyFile', 'sourceImageId', 'sourceImageDigest',
  'httpHost', 'httpPort', 'httpAddress',
] as const;
export type BuildVariable = (typeof buildVariableNames)[number];

export type RefTarget =
  | { readonly construct: IConstruct; readonly output: string }
  | { readonly step: string; readonly output: string }
  | { readonly build: BuildVariable };

/**
 * A value that is known only while the plan is carried out: another image's artifact, the address of the machine.
 * It is an object, not a text: pass it as it is, or put it into a text with the `str` tag.
 */
export class Ref<T> {
  /** What the value will be; exists for the type checker only. */
  declare readonly type: T;
  readonly target: RefTarget;

  constructor(target: RefTarget) {
    this.target = target;
  }

  /** A member of the value, such as `image.artifact.get('id')`. */
  get<K extends keyof T & string>(member: K): Ref<T[K]> {
    if ('build' in this.target) throw lateValueAsText(`build.${this.target.build}`);
    return new Ref<T[K]>({ ...this.target, output: `${this.target.output}.${member}` });
  }

  /** @throws BakeError `LateValueAsText`: use the `str` tag */
  toString(): string {
    throw lateValueAsText(this.describe());
  }
  /** @throws BakeError `LateValueAsText`: use the `str` tag */
  [Symbol.toPrimitive](): never {
    throw lateValueAsText(this.describe());
  }
  toJSON(): never {
    throw lateValueAsText(this.describe());
  }

  private describe(): string {
    if ('build' in this.target) return `build.${this.target.build}`;
    const owner = 'step' in this.target ? this.target.step : this.target.construct.node.path;
    return `the output "${this.target.output}" of ${owner}`;
  }
}

/** A value, or a reference to one that is known only while the plan is carried out. */
export type Input<T> = T | Ref<T>;

/** A text with late parts, made by the `str` tag. */
export class LateText {
  readonly parts: readonly (string | Ref<unknown> | Secret)[];

  constructor(parts: readonly (string | Ref<unknown> | Secret)[]) {
    this.parts = parts;
  }
  toString(): string {
    throw lateValueAsText('a text made by str`…`');
  }
}

/** Where a text may be late: plain, a reference, a secret, or a `str` text with both in it. */
export type TextInput = string | Ref<string> | Secret | LateText;

/**
 * Puts late values into a text.
 * @example new Shell(this, 'Hello', { inline: [str`echo building ${build.name} on ${build.host}`] });
 */
export function str(strings: TemplateStringsArray, ...values: readonly (string | number | boolean | Ref<unknown> | Secret | LateText)[]): LateText {
  const parts: (string | Ref<unknown> | Secret)[] = [];
  const push = (part: string | Ref<unknown> | Secret) => {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else if (part !== '') parts.push(part);
  };
  strings.forEach((text, index) => {
    push(text);
    const value = values[index];
    if (value instanceof LateText) value.parts.forEach(push);
    else if (value instanceof Ref || value instanceof Secret) push(value);
    else if (value !== undefined) push(String(value));
  });
  return new LateText(parts);
}

const buildRef = <T>(name: BuildVariable): Ref<T> => new Ref<T>({ build: name });

/** The machine being built, for provisioners and post-processors: each build fills in its own values. */
export const build = {
  /** The source's id, such as `Docker`. */
  name: buildRef<string>('name'),
  /** The machine's id on its platform: the container's id, the instance's id. */
  id: buildRef<string>('id'),
  host: buildRef<string>('host'),
  port: buildRef<number>('port'),
  user: buildRef<string>('user'),
  password: buildRef<string>('password'),
  /** `docker`, `rootfs`, `null`, … */
  platform: buildRef<string>('platform'),
  runId: buildRef<string>('runId'),
  sshPublicKey: buildRef<string>('sshPublicKey'),
  sshPrivateKeyFile: buildRef<string>('sshPrivateKeyFile'),
  sourceImageId: buildRef<string>('sourceImageId'),
  sourceImageDigest: buildRef<string>('sourceImageDigest'),
  /** The build's own web server (`http`), as the machine reaches it. */
  httpHost: buildRef<string>('httpHost'),
  httpPort: buildRef<number>('httpPort'),
  /** `http://<httpHost>:<httpPort>` */
  httpAddress: buildRef<string>('httpAddress'),
} as const;
