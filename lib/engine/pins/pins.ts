import type * as z from 'zod';
import { BakeError } from '../../core/bake-error.js';
import { canonicalJson, type JsonObject } from '../../core/json.js';
import { unlessAborted } from '../../core/unless-aborted.js';
import type { StepContext } from '../handler.js';
import type { Masker } from '../masker.js';
import { type PinFile, pinFileName, type PinTable } from './pin-file.js';

export interface PinsOptions {
  readonly file: PinFile;
  readonly masker: Masker;
  /** What is not pinned fails, and nothing is written. */
  readonly frozen: boolean;
  /** Whether the user wants to know what it is now, whatever it was pinned to. */
  readonly isRenewed: (what: string) => boolean;
}

type Asker = Pick<StepContext, 'log' | 'signal'> & { readonly step: { readonly id: string } };

/** What lookups found in earlier runs, as the project's `bake.lock.json` says, and what those of this run find. */
export class Pins {
  readonly #options: PinsOptions;
  readonly #asked = new Map<string, Promise<JsonObject | undefined>>();
  readonly #used = new Map<string, Map<string, JsonObject>>();
  #table: Promise<PinTable> | undefined;

  constructor(options: PinsOptions) {
    this.#options = options;
  }

  /** See `StepContext.pin`. What several steps of a run ask for is looked up once. */
  async of<Pin extends JsonObject>(name: string, schema: z.ZodType<Pin>, lookup: (isRenewal: boolean) => Promise<Pin | undefined>, asker: Asker): Promise<Pin | undefined> {
    const what = this.#options.masker.text(name);
    const found = await this.#once(what, () => this.#find(what, lookup, asker), asker.signal);
    if (found === undefined) return undefined;
    const checked = schema.safeParse(found);
    if (!checked.success) throw new BakeError({ code: 'InvalidPinFile', message: `${pinFileName} has for "${what}" what is no such pin: ${canonicalJson(found)}`, hint: `correct the line, or run "bake run --update='${what}'"` });
    const { id } = asker.step;
    this.#used.set(id, (this.#used.get(id) ?? new Map<string, JsonObject>()).set(what, found));
    return checked.data;
  }

  /** What a step of this run was told. */
  usedBy(step: string): JsonObject {
    return Object.fromEntries(this.#used.get(step) ?? []);
  }

  /** What stands in the file now. @throws BakeError `InvalidPinFile` */
  async table(): Promise<PinTable> {
    return (this.#table ??= this.#options.file.read());
  }

  async #once(what: string, find: () => Promise<JsonObject | undefined>, signal: AbortSignal): Promise<JsonObject | undefined> {
    for (;;) {
      const asked = this.#asked.get(what);
      if (asked === undefined) break;
      const found = await unlessAborted(asked.catch(() => undefined), signal); // who asked may have had to stop
      if (found !== undefined || this.#asked.get(what) === asked) return found;
    }
    const finding = find();
    this.#asked.set(what, finding);
    finding.catch(() => this.#asked.delete(what));
    return finding;
  }

  async #find(what: string, lookup: (isRenewal: boolean) => Promise<JsonObject | undefined>, { log, signal }: Asker): Promise<JsonObject | undefined> {
    const { file, frozen, isRenewed } = this.#options;
    const pinned = (await this.table()).get(what);
    const isRenewal = isRenewed(what);
    if (pinned !== undefined && !isRenewal) return pinned;
    if (frozen) throw new BakeError({ code: 'NotPinned', message: `${pinFileName} does not say what "${what}" is, and --frozen looks nothing up`, hint: `run "bake run" without --frozen, and commit ${pinFileName}` });
    const found = await lookup(isRenewal);
    if (found === undefined || (pinned !== undefined && canonicalJson(found) === canonicalJson(pinned))) return found;
    await file.write(what, found, signal);
    log(pinned === undefined ? `${pinFileName}: ${what} is ${shown(found)}` : `${pinFileName}: ${what} was ${shown(pinned)} and is ${shown(found)}`, 'info');
    return found;
  }
}

function shown(pin: JsonObject): string {
  return Object.values(pin).map((value) => (typeof value === 'string' ? value : canonicalJson(value))).join(', ');
}
