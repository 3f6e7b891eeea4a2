import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { BakeError } from '../../core/bake-error.js';
import { shellQuote } from '../../core/quote.js';
import type { Command } from '../command.js';
import { exitCode } from '../exit-code.js';
import { docker } from '../templates/docker.js';
import { projectFiles } from '../templates/project-files.js';
import { quickstart } from '../templates/quickstart.js';
import { rootfs } from '../templates/rootfs.js';
import { neutraliseLine, safeJson } from '../terminal/neutralise.js';

const templates = { quickstart, rootfs, docker } as const;

/** `bake init` */
export const init: Command = async ({ args, io, outStyle: style, symbols }) => {
  const folder = resolve(io.cwd, args.positionals[0] ?? '.');
  const template = templates[(args.text('template') ?? 'quickstart') as keyof typeof templates];
  // An app of another name is an app too: what is there is the user's.
  for (const name of ['image.ts', 'bake.json']) {
    if (await exists(join(folder, name))) throw new BakeError({ code: 'ProjectExists', message: `${join(folder, name)} is there already`, hint: 'choose another folder; init overwrites nothing' });
  }
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new BakeError({ code: 'FolderNotMade', message: `${folder} cannot be made: ${error.message}`, hint: 'choose another folder', cause: error });
  });
  const made: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of Object.entries(projectFiles(template, folder))) ((await writeNew(join(folder, name), text)) ? made : kept).push(name);
  if (args.flag('json')) {
    io.stdout.write(`${safeJson({ folder, made, kept }, 2)}\n`);
    return exitCode.ok;
  }
  const here = relative(io.cwd, folder);
  const isInstalled = await isResolvable(folder);
  const next = [
    ...(here === '' ? [] : [`cd ${shellQuote(here)}`]),
    ...(isInstalled ? [] : [kept.includes('package.json') ? 'npm install bake-sdk' : 'npm install']),
    'npx bake synth', 'npx bake run',
  ];
  io.stdout.write([
    `${style.green(symbols.done)} made ${made.join(', ')}${here === '' ? '' : ` in ${neutraliseLine(here)}`}`,
    ...(kept.length === 0 ? [] : [`  ${style.dim(`left as it was: ${kept.join(', ')}`)}`]),
    `  ${style.dim(template.summary)}`, '', ...next.map((line) => `  ${style.green(`${symbols.arrow} ${neutraliseLine(line)}`)}`), '',
  ].join('\n'));
  return exitCode.ok;
};

/** False if it is there already. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new BakeError({ code: 'FileNotWritten', message: `${path} cannot be written: ${message}`, hint: 'choose another folder', cause: error });
  }
}

async function isResolvable(folder: string): Promise<boolean> {
  for (let here = folder, parent = ''; here !== parent; parent = here, here = resolve(here, '..')) {
    if (await exists(join(here, 'node_modules', 'bake-sdk', 'package.json'))) return true;
  }
  return false;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
