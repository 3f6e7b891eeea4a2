import type { IConstruct } from 'constructs';

const metadataKey = 'bake:tag';

/** Key-value pairs for everything below a construct; each platform puts them on what it makes (labels, tags). The nearest wins. */
export class Tags {
  static of(scope: IConstruct): Tags {
    return new Tags(scope);
  }

  readonly #scope: IConstruct;

  private constructor(scope: IConstruct) {
    this.#scope = scope;
  }

  add(key: string, value: string): void {
    this.#scope.node.addMetadata(metadataKey, { key, value });
  }
}

/** The tags in force at a construct. */
export function tagsOf(construct: IConstruct): Readonly<Record<string, string>> {
  const tags: Record<string, string> = {};
  for (const scope of construct.node.scopes) {
    for (const entry of scope.node.metadata) if (entry.type === metadataKey) tags[entry.data.key] = entry.data.value;
  }
  return tags;
}
