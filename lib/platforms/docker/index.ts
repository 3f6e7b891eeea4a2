export { type DockerAuthProps, type DockerBaseProps, type DockerfileProps } from './docker-base.js';
export { DockerImport, type DockerImportProps } from './docker-import.js';
export { DockerPush, type DockerPushProps } from './docker-push.js';
export { DockerSave, type DockerSaveProps } from './docker-save.js';
export { DockerSource, type DockerSourceProps } from './docker-source.js';
export { DockerTag, type DockerTagProps } from './docker-tag.js';
