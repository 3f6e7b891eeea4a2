import type { Asset } from '../../image/asset.js';
import type { LateText, Ref, TextInput } from '../../image/ref.js';

/**
 * A web server of bake's own for what a machine fetches while it installs itself: a preseed file, packages. It runs while
 * the machine does and ends with it. Whoever reaches its address can read all that it serves.
 */
export interface HttpServerProps {
  /**
   * A folder, relative to the folder of `image.ts`, whose files are served; the plan takes a copy of it along. A late value is
   * a folder that an earlier step made, and is served where it is. Neither folders nor links that lead out of it can be read.
   * @default - none
   */
  readonly directory?: string | Asset | Ref<string> | LateText;
  /**
   * Texts by their path, such as `{'/preseed.cfg': str`…`}`; they may hold secrets and other late values and are never
   * written to a disk. They come before files of the same path.
   * @default - none
   */
  readonly content?: Readonly<Record<string, TextInput>>;
  /** The address to listen on; `0.0.0.0` and `::` are all of them. @default '127.0.0.1', which machines of QEMU reach as 10.0.2.2 */
  readonly address?: TextInput;
  /** Lowest port; a free one is taken. @default - the one in portMax; without both any free port */
  readonly portMin?: number;
  /** Highest port, which may be taken as well. @default - the one in portMin; without both any free port */
  readonly portMax?: number;
}

/** The names of `HttpServerProps`. */
export const httpServerPropNames: Readonly<Record<keyof Required<HttpServerProps>, true>> = { directory: true, content: true, address: true, portMin: true, portMax: true };
