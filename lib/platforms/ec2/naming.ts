import type { BuildPlanner } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import type { TextInput } from '../../image/ref.js';
import type { Source } from '../../image/source.js';
import type { Ec2NamingProps } from './ec2-props.js';

/** What the images of a build are called: the user's name, or what begins one that no other run gives. */
export function namingOf(source: Source & { readonly props: Ec2NamingProps }, build: Pick<BuildPlanner, 'name'>) {
  const { amiName } = source.props;
  const named = (text: TextInput) => outputName(text, source, { buildName: build.name, platform: source.platform });
  return { named, name: amiName === undefined ? undefined : named(amiName), namePrefix: named('{image}-{build}') as string };
}
