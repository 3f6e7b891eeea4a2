import { Worker } from 'node:worker_threads';

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A thread that answers each message with one message, in order. Its program is a CommonJS text: a file of its own would
 * have to be found again wherever `bake` is bundled to.
 */
export class AnsweringThread<Question, Answer> {
  readonly #worker: Worker;
  readonly #waiting: Waiting<Answer>[] = [];

  /** @param program gets `data` as `workerData`, and calls `parentPort.postMessage` once for each message */
  constructor(program: string, data: unknown) {
    this.#worker = new Worker(program, { eval: true, execArgv: [], workerData: data });
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('a worker thread ended early')));
  }

  /** Questions not answered yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Rejects if the thread dies.
   * @param given memory that is the thread's from now on, and is not copied
   */
  ask(question: Question, given: readonly ArrayBuffer[] = []): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    answer.catch(() => {}); // whoever awaits it hears of it; nobody may, once another part has failed
    this.#worker.postMessage(question, given);
    return answer;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
