import type { Extension } from '../../engine/extension.js';
import { baseImageStep, containerStep, discardStep, dockerfileImageStep, exportStep, importedImageStep, importStep, imageStep, pushStep, saveStep, tagStep } from './steps.js';

const handlers = () => import('./engine/handlers.js');

/** Docker: builds in a container of a daemon, and works on its images. */
export const dockerPlatform: Extension = {
  name: 'docker',
  steps: [
    { kind: baseImageStep, load: async () => (await handlers()).baseImage },
    { kind: dockerfileImageStep, load: async () => (await handlers()).dockerfileImage },
    { kind: importedImageStep, load: async () => (await handlers()).importedImage },
    { kind: containerStep, load: async () => (await handlers()).container },
    { kind: imageStep, load: async () => (await handlers()).image },
    { kind: exportStep, load: async () => (await handlers()).exported },
    { kind: discardStep, load: async () => (await handlers()).discard },
    { kind: tagStep, load: async () => (await handlers()).tag },
    { kind: pushStep, load: async () => (await handlers()).push },
    { kind: saveStep, load: async () => (await handlers()).save },
    { kind: importStep, load: async () => (await handlers()).imported },
  ],
  communicators: {
    'docker-exec': async () => {
      const [{ openDockerExec }, { engine }] = await Promise.all([import('../../communicators/docker-exec/open-docker-exec.js'), handlers()]);
      return openDockerExec(async (container) => engine.container(container));
    },
  },
  doctor: async (host) => {
    const [{ dockerDoctor }, { engine }] = await Promise.all([import('./engine/doctor.js'), handlers()]);
    return dockerDoctor(engine, host);
  },
  scan: async (host) => {
    const [{ scanDocker }, { engine }] = await Promise.all([import('./engine/scan.js'), handlers()]);
    return scanDocker(engine, host);
  },
  savedOutside: async (host, cache) => {
    const [{ savedImages }, { engine }] = await Promise.all([import('./engine/container-checkpoint.js'), handlers()]);
    return savedImages(engine, cache, host);
  },
};
