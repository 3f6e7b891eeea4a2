import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as z from 'zod';
import type { Clock } from '../../../core/ports.js';

/** A lock whose holder cannot be asked after (another host's, or one never written to its end) counts as left behind after this time. */
const longestHold = 60_000;
const firstWait = 50;
const longestWait = 500;

const holderSchema = z.object({ pid: z.number().int().positive(), start: z.string(), host: z.string() });
type Holder = z.output<typeof holderSchema>;

interface Lock {
  /** As it stands in the file. */
  readonly text: string;
  readonly holder: Holder | undefined;
}

/** Within one process, those who want the same lock stand in line here and never poll for each other. */
const lines = new Map<string, Promise<unknown>>();

/**
 * Does the work while no other process on this computer does work under the same lock file. A lock whose holder is dead,
 * also after `kill -9`, is taken over at once.
 */
export async function withFileLock<T>(path: string, wait: { readonly clock: Clock; readonly signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
  const before = lines.get(path) ?? Promise.resolve();
  const mine = before.then(() => locked(path, wait, work));
  const settled = mine.catch(() => {});
  lines.set(path, settled);
  try {
    return await mine;
  } finally {
    if (lines.get(path) === settled) lines.delete(path);
  }
}

async function locked<T>(path: string, wait: { readonly clock: Clock; readonly signal: AbortSignal }, work: () => Promise<T>): Promise<T> {
  const mine: Holder = { pid: process.pid, start: await startOf(process.pid) ?? '', host: hostname() };
  for (let delay = firstWait; !(await take(path, mine)); ) {
    wait.signal.throwIfAborted();
    const lock = await look(path);
    if (lock === undefined) continue;
    if (await isLeftBehind(lock, path, wait.clock)) await removeStale(path, lock, wait);
    else {
      await wait.clock.sleep(delay, wait.signal);
      delay = Math.min(delay * 2, longestWait);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, holder: Holder): Promise<boolean> {
  const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(JSON.stringify(holder));
    return true;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Undefined if it is free by now. */
async function look(path: string): Promise<Lock | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return { text, holder: parseHolder(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // its holder may be writing it just now
  }
}

/**
 * Two who find the same stale lock must not both remove it: the slower one would remove the faster one's new lock. So the
 * removal has a lock of its own, which can be left behind and removed in the same way.
 */
async function removeStale(path: string, stale: Lock, wait: { readonly clock: Clock; readonly signal: AbortSignal }): Promise<void> {
  await withFileLock(`${path}.stale`, wait, async () => {
    if ((await look(path))?.text === stale.text) await rm(path, { force: true });
  });
}

async function isLeftBehind({ holder }: Lock, path: string, clock: Clock): Promise<boolean> {
  if (holder?.host === hostname()) return !(await isAlive(holder));
  const age = await stat(path).then(({ mtimeMs }) => clock.now() - mtimeMs, () => 0);
  return age > longestHold;
}

async function isAlive({ pid, start }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return now === undefined || start === '' || now === start;
}

/** What tells a process from a later one with the same id; undefined where there is no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
