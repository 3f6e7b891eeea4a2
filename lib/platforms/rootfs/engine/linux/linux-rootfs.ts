import type { RootfsPort } from '../rootfs-port.js';
import { copyTree } from './copy-tree.js';
import { endMarked, findMachine, quietMachine, startMachine } from './machine.js';
import { fillMemory, isBusy, saveMemory } from './memory-folders.js';
import { checkMmdebstrap, runMmdebstrap } from './mmdebstrap.js';
import { clampTreeTimes, compressorFor, packTree } from './pack.js';
import { packLayer } from './pack-layer.js';
import { removeTree } from './remove.js';
import { sealTree } from './seal.js';
import { checkSpaces } from './spaces.js';
import { applyTreePatches, saveTreePatch } from './tree-patch.js';
import { unpackTarball } from './unpack.js';

/** Root trees on this computer: mmdebstrap, GNU tar, and the namespaces of Linux through util-linux. */
export const linuxRootfs: RootfsPort = {
  check: (ctx) => checkSpaces(ctx.exec, ctx.signal),
  checkMirrorTool: checkMmdebstrap,
  checkCompression: async (compression, ctx) => { if (compression !== 'none') await compressorFor(compression, ctx); },
  bootstrap: runMmdebstrap,
  unpack: unpackTarball,
  copy: copyTree,
  savePatch: saveTreePatch,
  applyPatches: applyTreePatches,
  start: startMachine,
  isBusy,
  saveMemory,
  fillMemory,
  findMachine,
  end: endMarked,
  quiet: quietMachine,
  seal: sealTree,
  pack: (tree, file, options, ctx) => packTree(tree, { file }, options, ctx),
  packLayer,
  clampTimes: clampTreeTimes,
  remove: removeTree,
};
