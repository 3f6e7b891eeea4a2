import { createInterface } from 'node:readline';
import type { Question } from '../../core/events.js';
import { neutralise, neutraliseLine } from '../terminal/neutralise.js';
import type { OutputStream } from '../terminal/output-stream.js';
import type { Style } from '../terminal/style.js';
import { pad, textWidth } from '../terminal/text-width.js';

export interface PromptOptions {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: OutputStream;
  readonly style: Style;
  /** False: nobody is there to answer, or nobody wants to be asked; the fallback is the answer. */
  readonly isInteractive: boolean;
  /** Around each question: to take a live display away and bring it back. */
  readonly pause?: () => void;
  readonly resume?: () => void;
}

/** Asks questions on the terminal, one after the other however many builds ask at once. */
export class Prompt {
  readonly #options: PromptOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PromptOptions) {
    this.#options = options;
  }

  /** The key of the choice taken. @throws the signal's reason if aborted */
  ask(question: Question, signal?: AbortSignal): Promise<string> {
    const answer = this.#last.then(() => this.#askNow(question, signal));
    this.#last = answer.catch(() => {});
    return answer;
  }

  async #askNow(question: Question, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted();
    const { isInteractive, output, style, pause, resume } = this.#options;
    if (!isInteractive) {
      output.write(`${neutraliseLine(question.message)} ${style.dim(`(nobody to ask: ${labelOf(question, question.fallback)})`)}\n`);
      return question.fallback;
    }
    pause?.();
    try {
      output.write(`\n${style.yellow('?')} ${style.bold(neutralise(question.message))}\n`);
      const width = Math.max(...question.choices.map(({ key }) => textWidth(neutraliseLine(key))));
      for (const { key, label } of question.choices) {
        const isFallback = key === question.fallback;
        output.write(`    ${style.cyan(pad(neutraliseLine(key), width))}  ${neutraliseLine(label)}${isFallback ? style.dim('  (default)') : ''}\n`);
      }
      for (;;) {
        const line = await this.#readLine(signal);
        const key = line === undefined ? question.fallback : matchChoice(question, line);
        if (key !== undefined) return key;
        output.write(`  ${style.dim(`answer ${question.choices.map((choice) => neutraliseLine(choice.key)).join(', ')}`)}\n`);
      }
    } finally {
      resume?.();
    }
  }

  /** Undefined at the end of input. */
  #readLine(signal: AbortSignal | undefined): Promise<string | undefined> {
    const { stdin, output } = this.#options;
    output.write('  > ');
    return new Promise((resolve, reject) => {
      // The terminal itself edits the line, and turns Ctrl-C into a signal as ever.
      const reader = createInterface({ input: stdin, terminal: false });
      const onAbort = (): void => {
        output.write('\n');
        reject(signal?.reason);
        reader.close();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      reader.on('close', () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(undefined);
      });
      reader.once('line', (line) => {
        resolve(line);
        reader.close();
      });
    });
  }
}

/** A key, the beginning of one or of a label, whatever the case; nothing is the fallback; undefined if it fits none or several. */
export function matchChoice(question: Question, answer: string): string | undefined {
  const text = answer.trim().toLowerCase();
  if (text === '') return question.fallback;
  const exact = question.choices.find(({ key }) => key.toLowerCase() === text);
  if (exact !== undefined) return exact.key;
  const near = question.choices.filter(({ key, label }) => key.toLowerCase().startsWith(text) || label.toLowerCase().startsWith(text));
  return near.length === 1 ? near[0]!.key : undefined;
}

function labelOf(question: Question, key: string): string {
  return neutraliseLine(question.choices.find((choice) => choice.key === key)?.label ?? key);
}
