import { accessSync } from 'node:fs';
import { LocalCommunicator } from '../../../lib/communicators/local/engine/local-communicator.js';
import type { Communicator, RemoteCommand, RemoteResult } from '../../../lib/core/communicator.js';
import { systemExec } from '../../../lib/toolkit/host/exec.js';

/** Shells that a machine may have as its `/bin/sh`, as commands; those of them that are here. */
export const posixShells = ['/bin/dash', '/bin/bash --posix', '/bin/busybox sh', '/bin/mksh'].filter(isThere);
/** Shells that a user may have as the login shell; those of them that are here. */
export const loginShells = ['/bin/sh', '/bin/bash', '/bin/tcsh', '/usr/bin/fish', '/bin/zsh', '/bin/mksh'].filter(isThere);

export interface MachineOptions {
  /** Runs command lines. @default '/bin/sh' */
  readonly login?: string;
  /** Stands in for the `/bin/sh` that a command names. */
  readonly posix?: string;
  /** Told of each command as it starts. */
  readonly onExec?: (command: RemoteCommand) => void;
}

/** This computer as a machine with other shells than its own. Commands, lines and transfers are real. */
export class ShellMachine extends LocalCommunicator {
  readonly #options: MachineOptions;
  readonly #exec = systemExec();

  constructor(options: MachineOptions = {}) {
    super({ exec: systemExec() });
    this.#options = options;
  }

  override async exec(command: RemoteCommand): Promise<RemoteResult> {
    const { login = '/bin/sh', posix = '/bin/sh' } = this.#options;
    this.#options.onExec?.(command);
    const { command: line, ...rest } = command;
    const { code, signal } = await this.#exec.run({ command: login, args: ['-c', line.replace('/bin/sh', posix)], ...rest });
    return { code, ...(signal === null ? {} : { signal }), disconnected: false };
  }
}

/** A communicator that only runs commands. */
export function execOnly(exec: (command: RemoteCommand) => Promise<RemoteResult>): Communicator {
  const not = async (): Promise<never> => { throw new Error('only exec is expected here'); };
  return { kind: 'test', exec, upload: not, uploadDirectory: not, download: not, downloadDirectory: not, close: async () => {} };
}

function isThere(command: string): boolean {
  try {
    accessSync(command.split(' ', 1)[0]!);
    return true;
  } catch {
    return false;
  }
}
