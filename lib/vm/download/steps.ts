import * as z from 'zod';
import { late } from '../../plan/late.js';
import { defineStepKind } from '../../plan/step-kind.js';

/** A file from the network or from this computer, whose content is known to be the right one. */
export const vmDownload = defineStepKind({
  kind: 'vm.download',
  type: 'action',
  lookup: ['digest'],
  version: 1,
  spec: z.strictObject({
    /** URLs (http, https, file) or paths, tried in this order. */
    urls: z.array(late(z.string())).min(1, 'must have at least one URL or path'),
    /** See `parseChecksum`. */
    checksum: late(z.string()),
  }),
  /** `digest` is the sha256 in hex, whatever the checksum was; `url` has no credentials in it. */
  outputs: ['file', 'size', 'digest', 'url'],
});

export type DownloadSpec = ReturnType<(typeof vmDownload)['spec']['parse']>;

/** What the step gives. */
export type DownloadOutput = {
  /** Absolute path. It is shared with other runs: read it, never write to it. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** sha256 in hex. */
  readonly digest: string;
  /** Where it came from, without credentials. */
  readonly url: string;
};
