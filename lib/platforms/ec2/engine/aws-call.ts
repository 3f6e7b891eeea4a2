import { BakeError } from '../../../core/bake-error.js';
import { ec2Error } from './aws-error.js';

/** Makes a call of a service; what it throws is said in our words. @throws BakeError `Ec2…` */
export async function calling<T>(action: string, call: () => T | Promise<T>, service = 'ec2'): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw ec2Error(error, action, service);
  }
}

/** Undefined where the thing that `work` is about is not there (any more). */
export async function orGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (BakeError.is(error) && error.code === 'Ec2NotFound') return undefined;
    throw error;
  }
}

/** Undefined where the SDK throws an error of such a name, which says that there is nothing to do. */
export async function unless<T>(names: RegExp, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && names.test(error.name)) return undefined;
    throw error;
  }
}

/** All that a call lists, page after page. */
export async function pages<Page extends Next, Item>(get: (from: string | undefined) => Promise<Page | undefined>, read: (page: Page) => readonly Item[]): Promise<readonly Item[]> {
  const all: Item[] = [];
  let from: string | undefined;
  do {
    const page = await get(from);
    if (page !== undefined) all.push(...read(page));
    from = page?.NextToken ?? page?.Marker;
  } while (from !== undefined && from !== '');
  return all;
}

/** Where the next page begins, as most services name it, and as IAM does. */
interface Next {
  readonly NextToken?: string | undefined;
  readonly Marker?: string | undefined;
}
