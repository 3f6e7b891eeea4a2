import type { IConstruct } from 'constructs';
import { Annotations } from '../../image/annotations.js';
import { Asset } from '../../image/asset.js';
import { checkProps } from '../../image/check-props.js';
import type { BuildPlanner, PlannedStep } from '../../image/compile.js';
import { type LateText, type Ref, str } from '../../image/ref.js';
import { httpServerPropNames, type HttpServerProps } from './http-server.js';
import { urlHost } from './http-url.js';
import { httpServer } from './steps.js';

/** A web server that is in the plan. */
export interface PlannedHttpServer {
  /**
   * The step. The machine's step has to come after it (`StepOptions.after`), also if it does not refer to it: the server
   * runs as long as something that came after it is there.
   */
  readonly step: PlannedStep;
  readonly port: Ref<number>;
  /** `http://<host>:<port>`, for a machine that reaches this computer as `host`. */
  addressFor(host: string): LateText;
}

/** Adds the step of a web server to a build. To be called from `compile`: what is wrong with the props becomes annotations of the construct. */
export function addHttpServer(construct: IConstruct, build: BuildPlanner, name: string, props: HttpServerProps): PlannedHttpServer {
  checkProps(construct, props, httpServerPropNames);
  const { directory, content, address, portMin, portMax } = props;
  const count = Object.keys(content ?? {}).length;
  if (directory === undefined && count === 0) {
    Annotations.of(construct).addError('the web server has nothing to serve', { code: 'NothingToServe', hint: 'give it a directory or content, or leave it out' });
  }
  const step = build.step(name, {
    kind: httpServer,
    title: `web server for ${[...(typeof directory === 'string' ? [directory] : directory === undefined ? [] : ['a folder']), ...(count === 0 ? [] : [count === 1 ? '1 text' : `${count} texts`])].join(' and ')}`,
    spec: { directory: typeof directory === 'string' ? Asset.fromPath(directory, 'directory') : directory, content, address, portMin, portMax },
  });
  const port = step.ref<number>('port');
  return { step, port, addressFor: (host) => str`http://${urlHost(host)}:${port}` };
}
