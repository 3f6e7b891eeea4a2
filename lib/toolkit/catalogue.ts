import { chrootExtension } from '../communicators/chroot/communicator.js';
import { localExtension } from '../communicators/local/communicator.js';
import { sshExtension } from '../communicators/ssh/communicator.js';
import type { Extension } from '../engine/extension.js';
import { dockerPlatform } from '../platforms/docker/platform.js';
import { ec2Extension } from '../platforms/ec2/platform.js';
import { nullExtension } from '../platforms/null/platform.js';
import { qemuExtension } from '../platforms/qemu/platform.js';
import { rootfsExtension } from '../platforms/rootfs/platform.js';
import { artificeExtension } from '../post-processors/artifice/post-processor.js';
import { checksumExtension } from '../post-processors/checksum/post-processor.js';
import { compressExtension } from '../post-processors/compress/post-processor.js';
import { manifestExtension } from '../post-processors/manifest/post-processor.js';
import { shellLocalPostProcessorExtension } from '../post-processors/shell-local/post-processor.js';
import { verifyExtension } from '../post-processors/verify/post-processor.js';
import { breakpointExtension } from '../provisioners/breakpoint/provisioner.js';
import { fileExtension } from '../provisioners/file/provisioner.js';
import { shellExtension } from '../provisioners/shell/provisioner.js';
import { shellLocalExtension } from '../provisioners/shell-local/provisioner.js';
import { sleepExtension } from '../provisioners/sleep/provisioner.js';
import { downloadExtension } from '../vm/download/extension.js';
import { httpServerExtension } from '../vm/http-server/extension.js';
import { mediaExtension } from '../vm/media/extension.js';
import { tidyExtension } from '../vm/tidy/extension.js';

/** All that this `bake` has. A new folder is listed here, and nowhere else. */
export const extensions: readonly Extension[] = [
  dockerPlatform, ec2Extension, nullExtension, qemuExtension, rootfsExtension,
  chrootExtension, localExtension, sshExtension,
  downloadExtension, httpServerExtension, mediaExtension, tidyExtension,
  breakpointExtension, fileExtension, shellExtension, shellLocalExtension, sleepExtension,
  artificeExtension, checksumExtension, compressExtension, manifestExtension, shellLocalPostProcessorExtension, verifyExtension,
];
