import * as z from 'zod';

/** The machine that runs `bake` itself. */
export const localConnection = z.strictObject({
  kind: z.literal('local'),
  /** Absolute path of the folder in which commands run. */
  cwd: z.string().optional(),
});

export type LocalConnection = z.output<typeof localConnection>;
