import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '../core/ports.js';
import { isHolderAlive, isOfThisHost, type LockHolder, lockHolderSchema, ownLockHolder } from './lock-holder.js';

/** A lock whose holder cannot be asked after (another host's, or one never written to its end) counts as left behind after this time without a sign of life. */
const longestSilence = 60_000;
const signOfLife = 15_000;
const firstWait = 50;
const longestWait = 500;

export interface LockWait {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once if somebody else has the lock, with what is known of who it is. */
  readonly onWait?: (holder: { readonly pid: number; readonly host: string } | undefined) => void;
}

interface Lock {
  /** As it stands in the file. */
  readonly text: string;
  readonly holder: LockHolder | undefined;
}

/** Within one process, those who want the same lock stand in line here and never poll for each other. */
const lines = new Map<string, Promise<unknown>>();

/**
 * Does the work while no other process does work under the same lock file. A lock whose holder is dead, also after
 * `kill -9`, is taken over at once; one of another host, after a minute in which it gave no sign of life.
 */
export async function withFileLock<T>(path: string, wait: LockWait, work: () => Promise<T>): Promise<T> {
  const before = lines.get(path);
  const mine = before === undefined ? locked(path, wait, work) : inLine(before, path, wait, work);
  const settled = mine.catch(() => {});
  lines.set(path, settled);
  try {
    return await mine;
  } finally {
    if (lines.get(path) === settled) lines.delete(path);
  }
}

/** As `withFileLock`, but undefined at once if somebody else has the lock. */
export async function tryFileLock<T>(path: string, { clock, signal }: Omit<LockWait, 'onWait'>, work: () => Promise<T>): Promise<T | undefined> {
  const taken = new AbortController();
  const giveUp = (): void => queueMicrotask(() => taken.abort());
  try {
    return await withFileLock(path, { clock, signal: AbortSignal.any([signal, taken.signal]), onWait: giveUp }, work);
  } catch (error) {
    if (taken.signal.aborted && error === taken.signal.reason) return undefined;
    throw error;
  }
}

async function inLine<T>(before: Promise<unknown>, path: string, wait: LockWait, work: () => Promise<T>): Promise<T> {
  wait.signal.throwIfAborted();
  const { onWait, ...quiet } = wait;
  onWait?.({ pid: process.pid, host: hostname() });
  // Who leaves the line lets the next one go ahead early: that one meets the lock file itself.
  await new Promise<void>((resolve, reject) => {
    const leave = () => reject(wait.signal.reason as Error);
    wait.signal.addEventListener('abort', leave, { once: true });
    void before.then(() => {
      wait.signal.removeEventListener('abort', leave);
      resolve();
    });
  });
  return locked(path, quiet, work);
}

async function locked<T>(path: string, wait: LockWait, work: () => Promise<T>): Promise<T> {
  const mine = await ownLockHolder();
  let { onWait } = wait;
  for (let delay = firstWait; !(await take(path, mine)); ) {
    wait.signal.throwIfAborted();
    const lock = await look(path);
    if (lock === undefined) continue;
    if (await isLeftBehind(lock, path, wait.clock)) await removeStale(path, lock, wait);
    else {
      onWait?.(lock.holder);
      onWait = undefined;
      await wait.clock.sleep(delay, wait.signal);
      delay = Math.min(delay * 2, longestWait);
    }
  }
  // The file system's time, which no clock of a test can stand for.
  const alive = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), signOfLife).unref();
  try {
    return await work();
  } finally {
    clearInterval(alive);
    await rm(path, { force: true });
  }
}

async function take(path: string, holder: LockHolder): Promise<boolean> {
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

function parseHolder(text: string): LockHolder | undefined {
  try {
    return lockHolderSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // its holder may be writing it just now
  }
}

/**
 * Two who find the same stale lock must not both remove it: the slower one would remove the faster one's new lock. So the
 * removal has a lock of its own, which can be left behind and removed in the same way.
 */
async function removeStale(path: string, stale: Lock, { clock, signal }: LockWait): Promise<void> {
  await withFileLock(`${path}.stale`, { clock, signal }, async () => {
    if ((await look(path))?.text === stale.text) await rm(path, { force: true });
  });
}

async function isLeftBehind({ holder }: Lock, path: string, clock: Clock): Promise<boolean> {
  if (holder !== undefined && isOfThisHost(holder)) return !(await isHolderAlive(holder));
  const age = await stat(path).then(({ mtimeMs }) => clock.now() - mtimeMs, () => 0);
  return age > longestSilence;
}
