import type { Extension } from '../engine/extension.js';
import { systemClock } from './host/clock.js';
import { systemExec } from './host/exec.js';
import { systemIds } from './host/ids.js';
import { namedExtensions } from './named-extensions.js';
import { projectName } from './project-name.js';
import type { PrunedImage, PruneImagesOptions } from './toolkit-api.js';

/** Retires what is old on some platforms. @throws BakeError `UnknownPlatform` */
export async function pruneImages({ project, platforms, regions, signal, ...options }: PruneImagesOptions, extensions: readonly Extension[]): Promise<readonly PrunedImage[]> {
  const able = namedExtensions(extensions.filter((extension) => extension.pruneImages !== undefined), platforms);
  const host = { exec: systemExec(), clock: systemClock, ids: systemIds, signal, project, ...(regions === undefined ? {} : { regions }) };
  const own = { ...options, projectName: await projectName(project) };
  return (await Promise.all(able.map((extension) => extension.pruneImages!(own, host)))).flat();
}
