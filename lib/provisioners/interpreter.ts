/**
 * The words that run a script file when its path is put after them: the interpreter of its `#!` line, read as a Unix
 * kernel reads it (one word, and all that follows as one argument), or `/bin/sh` without such a line. Undefined for a
 * program, which is started by itself. Going through the interpreter works in folders mounted `noexec`, too.
 * @param head the start of the file, 512 bytes or more if it has them
 */
export function interpreterOf(head: Uint8Array): readonly string[] | undefined {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 512));
  const [first = ''] = start.toString('utf8').split('\n', 1);
  const shebang = /^#![ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/.exec(first);
  if (shebang !== null) return [shebang[1]!, ...(shebang[2] === '' ? [] : [shebang[2]!])];
  return start.includes(0) ? undefined : ['/bin/sh'];
}
