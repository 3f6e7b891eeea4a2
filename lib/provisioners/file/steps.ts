import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';
import { connectionField } from '../script-fields.js';

/** Files and folders from here to the machine or back. What is copied is in exactly one of `assets`, `paths` and `content`. */
export const fileTransferStep = defineStepKind({
  kind: 'file.transfer', type: 'action', version: 1, outputs: [],
  spec: z.strictObject({
    connection: connectionField,
    direction: z.enum(['upload', 'download']),
    /** Known when the plan is made. */
    assets: z.array(z.strictObject({
      asset: asset(),
      /** What is in the folder, not the folder itself. */
      contents: z.boolean(),
    })).min(1).optional(),
    /** Known only when the step runs: made during the run, or on the machine. One that ends in a slash is a folder's contents. */
    paths: z.array(late(z.string().min(1))).min(1).optional(),
    content: late(z.string()).optional(),
    destination: late(z.string().min(1)),
    mode: z.int().min(0).max(0o7777).optional(),
  }),
});

export type FileTransferSpec = z.output<typeof fileTransferStep.spec>;
