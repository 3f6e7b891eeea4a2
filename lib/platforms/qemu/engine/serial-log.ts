import { open } from 'node:fs/promises';

/** The last lines that a machine wrote to its serial console, without what only a terminal understands. */
export async function lastSerialLines(serialLog: string, count: number): Promise<readonly string[]> {
  const window = 16_384;
  try {
    const file = await open(serialLog);
    try {
      const { size } = await file.stat();
      const { buffer, bytesRead } = await file.read(Buffer.alloc(window), 0, window, Math.max(0, size - window));
      const text = buffer.subarray(0, bytesRead).toString('utf8').replaceAll(/\u001B(?:\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>c])/g, '').replaceAll(/[^\n\x20-\x7E\u00A0-\uFFFF]/g, '');
      return text.split('\n').map((line) => line.trimEnd()).filter((line) => line !== '').slice(-count);
    } finally {
      await file.close();
    }
  } catch {
    return [];
  }
}
