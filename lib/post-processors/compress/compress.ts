import type { Construct } from 'constructs';
import { BakeError } from '../../core/bake-error.js';
import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { outputName } from '../../image/output-name.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { codecOf, type Format, formatOf, formats, levels } from './format.js';
import { compressStep } from './steps.js';

export interface CompressProps extends PostProcessorProps {
  /**
   * Where the compressed file goes, relative to the folder of `image.ts`. `{image}`, `{build}` and `{platform}` are filled in.
   * @default 'bake_{image}_{build}_{platform}.<format>'
   */
  readonly output?: TextInput;
  /**
   * `gz`, `zst`, `xz` and `lz4` take one file; `zip`, `tar`, `tar.gz`, `tar.zst`, `tar.xz` and `tar.lz4` any number, and folders.
   * `xz` and `lz4` need the program of that name; `zst` needs `zstd`, or Node 22.15 or later.
   * @default - as the name of `output` says (`.tgz`, `.txz` and `.tzst` as well); `tar.gz` without one
   */
  readonly format?: Format;
  /** 1 (fastest) to 9 (smallest) for `gz` and `zip`; 1–22 for `zst`, 0–9 for `xz`, 1–12 for `lz4`. @default - 4 for gz and zip, 3 for zst, 6 for xz, 1 for lz4 */
  readonly level?: number;
}

/**
 * Compresses an artifact's files on all cores (zip and lz4: on one), in constant memory. The same input gives the same bytes: files are
 * sorted, owned by 0:0 and dated 1980-01-01, and nothing says when or where it was made; another version of Node or of
 * the program may compress differently. Replaces its input, unless `keepInputArtifact` is true.
 * @example new Compress(this, 'Small', { output: 'dist/{image}.img.zst', level: 19 });
 */
export class Compress extends PostProcessor<CompressProps> {
  readonly propNames = { output: true, format: true, level: true } as const;
  readonly keepsInputByDefault = false;

  constructor(scope: Construct, id: string, props: CompressProps = {}) {
    super(scope, id, props);
  }

  compile(props: CompressProps, scope: PostProcessorScope): CompiledStep {
    const format = props.format ?? formatFor(props.output);
    checkLevel(props.level, format);
    const output = outputName(props.output ?? `bake_{image}_{build}_{platform}.${format ?? ''}`, this, scope);
    return { kind: compressStep, title: `compress: ${typeof output === 'string' ? output : format ?? 'the artifact'}`, spec: { artifact: scope.artifact, output, format, level: props.level } };
  }
}

/** Undefined if it will be known only when the name is. */
function formatFor(output: TextInput | undefined): Format | undefined {
  if (output === undefined) return 'tar.gz';
  if (typeof output !== 'string') return undefined;
  const format = formatOf(output);
  if (format !== undefined) return format;
  throw new BakeError({ code: 'UnknownFormat', message: `"${output}" does not say how to compress`, hint: `give "format", one of ${formats.join(', ')}, or end the name with one of them` });
}

function checkLevel(level: unknown, format: Format | undefined): void {
  if (level === undefined || typeof level !== 'number' || format === undefined || !formats.includes(format)) return;
  const { min, max } = levels[codecOf(format)];
  if (level >= min && level <= max) return;
  throw new BakeError({ code: 'InvalidProp', message: `"level" is ${level}`, hint: max === 0 ? `${format} does not compress: leave "level" out` : `${format} has the levels ${min} to ${max}` });
}
