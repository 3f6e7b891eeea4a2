import { addAbortSignal, type Readable } from 'node:stream';

/** One message of a daemon's stream. */
export interface StreamMessage {
  readonly status?: string;
  readonly id?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string; readonly code?: number };
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: unknown;
}

/** Calls `onMessage` for each JSON line and resolves at the end of the stream. Errors among the messages are the caller's to look for. */
export async function eachMessage(stream: Readable, onMessage: (message: StreamMessage) => void, signal?: AbortSignal): Promise<void> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  let rest = '';
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') onMessage(JSON.parse(line) as StreamMessage);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  signal?.throwIfAborted();
  if (rest.trim() !== '') onMessage(JSON.parse(rest) as StreamMessage);
}

/** The daemon's word for what went wrong in a stream. */
export function failureOf(message: StreamMessage): string | undefined {
  return message.errorDetail?.message ?? message.error;
}
