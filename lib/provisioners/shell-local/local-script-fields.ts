import * as z from 'zod';
import { asset, late } from '../../plan/late.js';
import { environmentField, exitCodesField, shebangField } from '../script-fields.js';

/** The spec fields of a script that runs on the machine that runs `bake`; see `LocalScriptProps`. */
export const localScriptFields = {
  command: late(z.string()).optional(),
  inline: z.array(late(z.string())).min(1).optional(),
  script: asset('file').optional(),
  scripts: z.array(asset('file')).min(1).optional(),
  environment: environmentField,
  /** No late values: arguments are seen by everybody on the machine. */
  executeCommand: z.array(z.string()).min(1).optional(),
  inlineShebang: shebangField,
  onlyOn: z.array(z.enum(['linux', 'darwin', 'win32'])).min(1).optional(),
  tempfileExtension: z.string().regex(/^\.[\w.-]+$/, 'give an extension with its dot, such as .cmd').optional(),
  validExitCodes: exitCodesField,
  workingDirectory: late(z.string()).optional(),
};

const localScript = z.strictObject(localScriptFields);
/** A local script with its late values resolved and its assets staged. */
export type LocalScriptSpec = z.output<typeof localScript>;
