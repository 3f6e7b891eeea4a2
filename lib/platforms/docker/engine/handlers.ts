import { baseImageHandler } from './base-image.js';
import { containerHandler } from './container.js';
import { discardHandler } from './discard.js';
import { DockerodeEngine } from './dockerode-engine.js';
import { dockerfileImageHandler } from './dockerfile-image.js';
import { exportHandler } from './export.js';
import { imageHandler } from './image.js';
import { importHandler } from './import.js';
import { importedImageHandler } from './imported-image.js';
import { pushHandler } from './push.js';
import { saveHandler } from './save.js';
import { tagHandler } from './tag.js';

/** One client for the whole process, so that all steps share its kept connections. */
export const engine = new DockerodeEngine();

export const baseImage = baseImageHandler(engine);
export const dockerfileImage = dockerfileImageHandler(engine);
export const importedImage = importedImageHandler(engine);
export const container = containerHandler(engine);
export const image = imageHandler(engine);
export const exported = exportHandler(engine);
export const discard = discardHandler();
export const tag = tagHandler(engine);
export const push = pushHandler(engine);
export const save = saveHandler(engine);
export const imported = importHandler(engine);
