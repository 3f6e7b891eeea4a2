import type { IConstruct } from 'constructs';
import type { SourceLocation } from '../core/diagnostic.js';

/** The construct tree as it goes into `tree.json`. */
export interface TreeNode {
  readonly path: string;
  readonly construct: string;
  readonly source?: SourceLocation;
  readonly children?: readonly TreeNode[];
}

export function treeOf(apps: readonly IConstruct[], locate: (construct: IConstruct) => SourceLocation | undefined): TreeNode {
  const describe = (construct: IConstruct): TreeNode => {
    const source = locate(construct);
    const children = construct.node.children.map(describe);
    return { path: construct.node.path, construct: construct.constructor.name, ...(source === undefined ? {} : { source }), ...(children.length === 0 ? {} : { children }) };
  };
  return { path: '', construct: 'Apps', children: apps.map(describe) };
}
