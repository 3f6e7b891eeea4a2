import { appendFileSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../core/json.js';
import type { ResourceHandler, StepContext } from '../../../engine/handler.js';
import type { dockerfileImageStep } from '../steps.js';
import type { BaseImage } from './base-image.js';
import { buildContext, fromImages } from './build-context.js';
import { authsFor } from './credentials.js';
import type { DockerEngine } from './docker-engine.js';
import { stamp, withToken } from './labels.js';
import type { SpecOf } from './spec-of.js';

type Handle = BaseImage & JsonObject & {
  /** Images of the single instructions, oldest first: the classic builder leaves them behind, and they can carry no stamp. */
  readonly layers: readonly string[];
};

const settle = 2_000;
const layersFile = (ctx: StepContext) => join(ctx.run.tmp, 'layers');

/** A temporary base image from a Dockerfile. */
export function dockerfileImageHandler(engine: DockerEngine): ResourceHandler<SpecOf<typeof dockerfileImageStep>, Handle> {
  return {
    settle,
    reads: ({ pull, noCache }) => Promise.resolve(pull === true || noCache === true ? { unknown: `it has ${pull === true ? 'pull' : 'noCache'}: true` } : {}),
    async check(_spec, ctx) {
      await engine.version(ctx);
    },
    async acquire(spec, ctx) {
      const { args, target, platform, noCache, pull, network, buildKit, auth } = spec;
      const text = await readFile(spec.dockerfile.path, 'utf8');
      const auths = await authsFor(fromImages(text), auth, ctx);
      const { tar, dockerfile } = await buildContext({ context: spec.context, dockerfile: spec.dockerfile, dockerfileName: spec.dockerfileName, token: ctx.token });
      const watcher = new LayerWatcher((id) => {
        mkdirSync(ctx.run.tmp, { recursive: true });
        appendFileSync(layersFile(ctx), `${id}\n`); // before the next line is read: a crash must not forget it
      });
      const id = await engine.build({
        context: tar, dockerfile, labels: stamp(ctx, true), auths,
        ...(args === undefined ? {} : { args }), ...(target === undefined ? {} : { target }), ...(platform === undefined ? {} : { platform }), ...(noCache === undefined ? {} : { noCache }),
        ...(pull === undefined ? {} : { pull }), ...(network === undefined ? {} : { network }), ...(buildKit === undefined ? {} : { buildKit }),
        signal: ctx.signal, onLine: (line) => { watcher.see(line); if (!isBookkeeping(line)) ctx.log(line); },
      }).finally(() => tar.destroy());
      return { id, digest: '', reference: id, layers: watcher.made };
    },
    async find(token, _spec, ctx) {
      const [found] = await engine.listImages(withToken(token), ctx);
      const layers = (await readFile(layersFile(ctx), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
      if (found === undefined && layers.length === 0) return undefined;
      const id = found?.id ?? '';
      return { id, digest: '', reference: id, layers };
    },
    async release({ id, layers }) {
      // What the finished image is made from is kept by the daemon until that image goes.
      for (const image of [id, ...layers.toReversed()]) if (image !== '') await engine.removeImage(image);
    },
  };
}

/** Lines of the classic builder about its own containers, and about the labels that bake adds. */
function isBookkeeping(line: string): boolean {
  return /^( ---> (Running in )?[0-9a-f]{12}$|Removing intermediate container |Successfully built |Step \d+\/\d+ : LABEL dev\.bake\.)/.test(line);
}

/** Reads from the classic builder's output which images it made; those from its cache are not ours. */
export class LayerWatcher {
  readonly #made: string[] = [];
  readonly #onMade: (id: string) => void;
  #isOld = false;

  constructor(onMade: (id: string) => void) {
    this.#onMade = onMade;
  }

  get made(): readonly string[] {
    return this.#made;
  }

  see(line: string): void {
    const [, id] = /^ ---> ([0-9a-f]{12})$/.exec(line) ?? [];
    if (/^Step \d+\/\d+ : /.test(line)) this.#isOld = /^Step \S+ : FROM /i.test(line);
    else if (line === ' ---> Using cache') this.#isOld = true;
    else if (id !== undefined && !this.#isOld) {
      this.#made.push(id);
      this.#onMade(id);
    }
  }
}
