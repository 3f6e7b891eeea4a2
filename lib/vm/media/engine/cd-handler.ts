import type { CdSpec } from '../steps.js';
import { mediumHandler } from './medium-handler.js';
import { planTree } from './medium-tree.js';
import { findIsoTool, writeIso } from './write-iso.js';

/** Carries out `vm.cd`. */
export const cdHandler = mediumHandler<CdSpec>({
  name: 'cd.iso',
  async check(spec, ctx) {
    await findIsoTool(ctx.exec, ctx.signal);
    await planTree(spec);
  },
  async make(spec, ctx, place) {
    await writeIso(ctx, spec.label, await planTree(spec), place);
  },
});
