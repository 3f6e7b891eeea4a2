import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type * as z from 'zod';

/** Writes a small JSON file so that nobody ever reads half of it. */
export async function writeRecord(path: string, value: unknown, mode = 0o644): Promise<void> {
  await writeWhole(path, JSON.stringify(value), mode);
}

/** Writes a small file so that nobody ever reads half of it. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const part = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(part, text, { mode });
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** What stands in a small JSON file; undefined if there is none, or if it is not what it should be. */
export async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined; // what is remembered may always be forgotten
  }
}
