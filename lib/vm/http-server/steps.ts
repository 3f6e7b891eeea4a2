import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { servedPath } from './served-path.js';

const path = z.string().refine((text) => servedPath(text) !== undefined, 'must be the path of a file, such as "/preseed.cfg", without .. and \\');
const port = z.int().min(1).max(65_535);

/** A web server in the process of bake: gone with it, also after kill -9. */
export const httpServer = defineStepKind({
  kind: 'vm.httpServer',
  type: 'resource',
  noun: 'web server',
  atCheckpoint: 'again',
  version: 1,
  spec: z.strictObject({
    /** A staged folder, or the path of one. */
    directory: z.union([asset('directory'), late(z.string().min(1))]).optional(),
    content: z.record(path, late(z.string())).optional(),
    address: late(z.string().min(1)).optional(),
    portMin: port.optional(),
    /** Inclusive. */
    portMax: port.optional(),
  })
    .refine(({ portMin, portMax }) => portMin === undefined || portMax === undefined || portMin <= portMax, { path: ['portMax'], message: 'must not be lower than portMin' })
    .refine(({ content = {} }) => new Set(Object.keys(content).map(servedPath)).size === Object.keys(content).length, { path: ['content'], message: 'has one path twice: "a" and "/a" are the same' }),
  outputs: ['port', 'address', 'url'],
});
export type HttpServerSpec = z.output<typeof httpServer.spec>;

/** What the step gives. */
export type HttpServerHandle = {
  readonly port: number;
  /** The address it listens on, as it was given. */
  readonly address: string;
  /** `http://<address>:<port>`, without a slash at the end: how this computer reaches it, if the address is not all of them. */
  readonly url: string;
};
