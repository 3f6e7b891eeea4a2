/** A project that `bake init` writes: its `image.ts`, and what to say about it. */
export interface Template {
  readonly summary: string;
  readonly image: string;
}
