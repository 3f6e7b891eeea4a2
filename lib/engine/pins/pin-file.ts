import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { BakeError } from '../../core/bake-error.js';
import { asDiskError } from '../../core/disk-error.js';
import { canonicalJson, isJsonObject, type JsonObject } from '../../core/json.js';
import type { Clock } from '../../core/ports.js';
import { withFileLock } from '../file-lock.js';
import { writeWhole } from '../record-file.js';

/** Beside `image.ts`, to be committed with it. */
export const pinFileName = 'bake.lock.json';

/** Raised when the file changes its shape. */
const version = 1;
/** Comes last, so that a new pin changes no other line. */
const versionKey = 'lockfileVersion';

const pinSchema = z.record(z.string(), z.json());
const fileSchema = z.record(z.string(), pinSchema);

/** What stands in the file, by what it is about, such as `docker debian:12`. */
export type PinTable = ReadonlyMap<string, JsonObject>;

/**
 * The file of pins: JSON with one line for each, sorted, so that a review shows which one moved, and two branches that pin
 * different things merge.
 */
export class PinFile {
  readonly path: string;
  readonly #project: string;
  readonly #clock: Clock;

  constructor(project: string, clock: Clock) {
    this.path = join(project, pinFileName);
    this.#project = project;
    this.#clock = clock;
  }

  /** @throws BakeError `InvalidPinFile` */
  async read(): Promise<PinTable> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw asDiskError(error, this.path);
    }
    return parse(text);
  }

  /** Adds a pin, or replaces it; those that other processes wrote meanwhile stay. @throws BakeError `InvalidPinFile`, `NotWritable`, `DiskFull` */
  async write(what: string, pin: JsonObject, signal: AbortSignal): Promise<void> {
    const lock = join(this.#project, '.bake', 'pins.lock');
    try {
      await mkdir(dirname(lock), { recursive: true });
      await withFileLock(lock, { clock: this.#clock, signal }, async () => writeWhole(this.path, print(new Map(await this.read()).set(what, pin))));
    } catch (error) {
      throw asDiskError(error, this.path);
    }
  }
}

function print(pins: PinTable): string {
  const lines = [...pins].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, pin]) => `  ${JSON.stringify(what)}: ${canonicalJson(pin)},\n`);
  return `{\n${lines.join('')}  "${versionKey}": ${version}\n}\n`;
}

function parse(text: string): PinTable {
  const conflict = text.split('\n').findIndex((line) => /^(<{7}|={7}|>{7})/.test(line));
  if (conflict >= 0) throw invalid(`has a merge conflict at line ${conflict + 1}`, 'keep one of the two lines of each pin, or both where they are of different things, and remove the marks');
  let read: ReturnType<typeof readPins>;
  try {
    read = readPins(JSON.parse(text));
  } catch (error) {
    throw invalid(`is not JSON: ${(error as Error).message}`, `put back the last good one, or remove it: "bake run" then pins what it finds`);
  }
  if (!read.pins.success) throw invalid(`has a pin that is none: ${read.pins.error.issues[0]?.path.join('.') ?? ''}`, 'put back the last good one, or remove the line: "bake run" then pins what it finds');
  const { found, pins } = read;
  if (found !== version) throw invalid(`has the ${versionKey} ${JSON.stringify(found)}, and this bake knows ${version}`, 'use the version of bake that wrote it, or a newer one');
  return new Map(Object.entries(pins.data));
}

/** Throws for what is nested too deeply. */
function readPins(json: unknown) {
  if (!isJsonObject(json)) return { found: undefined, pins: fileSchema.safeParse(json) };
  const { [versionKey]: found, ...pins } = json;
  return { found, pins: fileSchema.safeParse(pins) };
}

function invalid(what: string, hint: string): BakeError {
  return new BakeError({ code: 'InvalidPinFile', message: `${pinFileName} ${what}`, hint });
}
