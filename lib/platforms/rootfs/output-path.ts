import { sha256 } from '../../core/json.js';

const endings = { none: '.tar', gzip: '.tar.gz', zstd: '.tar.zst', xz: '.tar.xz' } as const;

/**
 * A file name made of a construct path: `Web/Rootfs` is `Web-Rootfs`. Ids are data, so what does not belong into a file
 * name is replaced, and then a hash of the path keeps two of them apart.
 */
export function fileNameOf(constructPath: string): string {
  const plain = constructPath.split('/').join('-');
  const safe = plain.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '_').slice(0, 150);
  return safe === plain ? safe : `${safe}-${sha256(constructPath).slice(0, 8)}`;
}

/** Where a tarball goes by default. */
export function defaultTarball(constructPath: string, compression: keyof typeof endings): string {
  return `bake.artifacts/${fileNameOf(constructPath)}${endings[compression]}`;
}

/** The compression that a path's ending stands for. */
export function compressionOf(path: string): keyof typeof endings {
  if (/\.(tar\.gz|tgz)$/.test(path)) return 'gzip';
  if (/\.(tar\.zst|tzst)$/.test(path)) return 'zstd';
  return /\.(tar\.xz|txz)$/.test(path) ? 'xz' : 'none';
}

/** Whether a relative path leads out of the folder it starts in. */
export function leavesFolder(path: string): boolean {
  let depth = 0;
  for (const name of path.split('/')) {
    if (name === '..' && --depth < 0) return !path.startsWith('/');
    if (name !== '' && name !== '.' && name !== '..') depth++;
  }
  return false;
}
