import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';

/** `bake init` */
export const init: Command = async () => exitCode.ok;
