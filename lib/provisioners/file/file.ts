import { BakeError } from '../../core/bake-error.js';
import { Asset } from '../../image/asset.js';
import type { CompiledStep, ProvisionerScope } from '../../image/compile.js';
import { Provisioner, type ProvisionerProps } from '../../image/provisioner.js';
import type { TextInput } from '../../image/ref.js';
import { fileTransferStep } from './steps.js';

/** What to copy, in exactly one of `source`, `sources`, `content`, and where to. */
export interface FileProps extends ProvisionerProps {
  /**
   * A file or folder: of the folder of `image.ts` for an upload, of the machine for a download. A folder without a slash at
   * its end goes itself into the destination; with a slash, only what is in it does. Where it is no plain text but, say, a
   * `Ref`, it is looked for only when the step runs.
   * @default - one of the other forms
   */
  readonly source?: TextInput;
  /** Several of them; the destination is a folder and ends in a slash. @default - one of the other forms */
  readonly sources?: readonly TextInput[];
  /** What the file is to hold. @default - one of the other forms */
  readonly content?: TextInput;
  /**
   * Where to, on the machine for an upload, here for a download (relative to the folder of `image.ts`; parent folders are
   * made). If it ends in a slash it is a folder, in which a file keeps its name. On the machine the folder must exist.
   */
  readonly destination: TextInput;
  /** @default 'upload' */
  readonly direction?: 'upload' | 'download';
  /** Permission bits of an uploaded file, such as 0o755. @default - those of the local file; 0o644 for content */
  readonly mode?: number;
  /** The source is made during the run: it is not looked for before the step runs, and no copy of it is staged. @default false */
  readonly generated?: boolean;
}

/**
 * Copies files and folders to the machine being built, or from it.
 * @example
 * new File(this, 'Site', { source: './site/', destination: '/var/www/html' });
 * new File(this, 'Motd', { content: str`built by ${build.name}\n`, destination: '/etc/motd' });
 * new File(this, 'Log', { direction: 'download', source: '/var/log/dpkg.log', destination: 'logs/' });
 */
export class File extends Provisioner<FileProps> {
  readonly propNames: Readonly<Record<keyof Required<Omit<FileProps, keyof ProvisionerProps>>, true>> = {
    source: true, sources: true, content: true, destination: true, direction: true, mode: true, generated: true,
  };

  /** @throws BakeError `FileChoice` */
  compile(props: FileProps, { connection }: ProvisionerScope): CompiledStep {
    checkChoice(props);
    const { source, sources, content, destination, direction = 'upload', mode, generated = false } = props;
    const all = sources ?? (source === undefined ? undefined : [source]);
    const staged = direction === 'upload' && !generated && all?.every((path) => typeof path === 'string') === true;
    return {
      kind: fileTransferStep, title: titleOf(props),
      spec: {
        connection, direction, content, destination, mode,
        assets: staged ? all.map((path) => ({ asset: Asset.fromPath(path, typeFor(path, mode)), contents: path.endsWith('/') })) : undefined,
        paths: staged ? undefined : all,
      },
    };
  }
}

/** What the source must be, so that a wrong one is known before a machine is started. */
function typeFor(path: string, mode: number | undefined): 'file' | 'directory' | undefined {
  if (path.endsWith('/')) return 'directory';
  return mode === undefined ? undefined : 'file';
}

const forms = ['source', 'sources', 'content'] as const;

function checkChoice(props: FileProps): void {
  const { sources, destination, direction, content, mode } = props;
  const fail = (message: string, hint: string) => { throw new BakeError({ code: 'FileChoice', message, hint }); };
  const given = forms.filter((form) => props[form] !== undefined);
  if (given.length === 0) fail('File has nothing to copy', 'give exactly one of source, sources, content');
  if (given.length > 1) fail(`File has ${given.join(' and ')}, so it is not clear what to copy`, 'give exactly one of source, sources, content');
  if (props.source === '') fail('"source" of File is empty', 'name a file or folder');
  if (sources !== undefined && !Array.isArray(sources)) fail('"sources" of File is not a list', 'write sources: [ … ], or source');
  if (sources?.length === 0) fail('"sources" of File is empty', 'name at least one file or folder, or leave the step out');
  const strange = (sources ?? []).concat(props.source ?? []).find((source) => typeof source !== 'string' && typeof source !== 'object');
  if (strange !== undefined) fail(`the source ${String(strange)} of File is not a path`, 'give a text, or a Ref to one');
  const isFolder = typeof destination === 'string' && destination.endsWith('/');
  if (sources !== undefined && sources.length > 1 && typeof destination === 'string' && !isFolder) fail(`the destination "${destination}" of several sources is not a folder`, `write "${destination}/"`);
  if (content !== undefined && isFolder) fail(`content cannot go to "${String(destination)}", which is a folder`, 'add a file name to the destination');
  if (direction === 'download' && content !== undefined) fail('content cannot be downloaded', 'give source, or leave direction out');
  if (mode !== undefined && (sources ?? [props.source]).some((source) => typeof source === 'string' && source.endsWith('/'))) fail('mode is for files, and the source is a folder', 'leave it out: the files of a folder keep theirs');
  if (direction === 'download' && mode !== undefined) fail('mode is for uploads', 'leave it out: a downloaded file keeps its mode');
}

function titleOf({ source, sources, content, destination, direction }: FileProps): string {
  const verb = direction === 'download' ? 'download' : 'upload';
  const what = content !== undefined ? 'content' : sources !== undefined ? `${sources.length} sources` : typeof source === 'string' ? source : undefined;
  return [`file: ${verb}`, ...(what === undefined ? [] : [what]), ...(typeof destination === 'string' ? [`to ${destination}`] : [])].join(' ');
}
