import { chmod, lstat, mkdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { Communicator } from '../../lib/core/communicator.js';
import { shellQuote } from '../../lib/core/quote.js';

export interface ContractSubject {
  readonly communicator: Communicator;
  /** A folder on the machine that exists, is empty and may be written to. */
  readonly folder: string;
}

export interface ContractOptions {
  /** Called once for the whole suite; clean up with `t.teardown`. */
  readonly open: (t: Test) => Promise<ContractSubject>;
  /** Seconds within which an abort has to be through. @default 3 */
  readonly abortWithin?: number;
}

interface Captured {
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly disconnected: boolean;
}

/** What every communicator to a Unix machine promises; see the docstrings of `Communicator`. */
export async function communicatorContract(t: Test, options: ContractOptions): Promise<void> {
  const { communicator, folder } = await options.open(t);
  const at = (name: string) => `${folder}/${name}`;
  const local = t.testdir({});
  const here = (name: string) => join(local, name);
  const exec = (command: string, more: { stdin?: string | Uint8Array | Readable; signal?: AbortSignal } = {}) => capture(communicator, command, more);
  const text = async (command: string) => (await exec(command)).stdout.join('\n');

  await t.test('exec hands on lines of both streams and the exit code', async (t) => {
    const result = await exec('echo one; echo "two  words"; printf three; echo oops >&2; exit 7');
    t.strictSame(result, { code: 7, stdout: ['one', 'two  words', 'three'], stderr: ['oops'], disconnected: false });
    t.equal((await exec('true')).code, 0);
    t.strictSame((await exec("printf 'grün\\n'")).stdout, ['grün']);
  });

  await t.test('exec hands on a line while the command still runs', async (t) => {
    const stdin = new Readable({ read() {} });
    const seen: string[] = [];
    // The command ends only when its input does, and that happens only when its first line has been seen here.
    const result = await communicator.exec({ command: 'echo ready; cat', stdin, onStdout: (line) => { if (seen.push(line) === 1) { stdin.push('more\n'); stdin.push(null); } } });
    t.equal(result.code, 0);
    t.strictSame(seen, ['ready', 'more']);
  });

  await t.test('exec gives an end of file where no input is given', async (t) => {
    t.strictSame(await exec('cat; echo end'), { code: 0, stdout: ['end'], stderr: [], disconnected: false });
  });

  await t.test('exec streams its input: text, bytes and a stream', async (t) => {
    t.strictSame((await exec('cat', { stdin: 'a\nb' })).stdout, ['a', 'b']);
    t.equal(await sumOf(exec('cksum', { stdin: bytes(3_000_000, 1) })), await sumOf(exec('cksum', { stdin: Readable.from(pieces(bytes(3_000_000, 1))) })));
    t.equal((await exec('wc -c', { stdin: Readable.from(pieces(bytes(3_000_000, 1))) })).stdout[0]?.trim(), '3000000');
  });

  await t.test('exec survives a command that does not read its input', async (t) => {
    t.equal((await exec('exit 3', { stdin: bytes(5_000_000, 2) })).code, 3);
  });

  await t.test('exec passes much output without loss', async (t) => {
    const { stdout } = await exec('i=0; while [ $i -lt 20000 ]; do echo "line $i of many, long enough to fill windows"; i=$((i+1)); done');
    t.equal(stdout.length, 20_000);
    t.equal(stdout[19_999], 'line 19999 of many, long enough to fill windows');
  });

  await t.test('exec reports the death of a command by a signal as no success', async (t) => {
    const result = await communicator.exec({ command: 'kill -KILL $$' });
    t.not(result.code, 0);
    t.equal(result.disconnected, false);
  });

  await t.test('commands run at the same time', async (t) => {
    // Each waits for the file that the other one makes, so none could end if they ran one after the other.
    const wait = (mine: string, other: string) => exec(`cd ${shellQuote(folder)} && : > ${mine}; n=0; until [ -e ${other} ] || [ $n -gt 200 ]; do sleep 0.05; n=$((n+1)); done; [ -e ${other} ]`);
    const both = await Promise.all([wait('left', 'right'), wait('right', 'left')]);
    t.strictSame(both.map((result) => result.code), [0, 0]);
    const many = await Promise.all(Array.from({ length: 30 }, (_, index) => exec(`echo ${index}`)));
    t.strictSame(many.map((result) => result.stdout[0]), Array.from({ length: 30 }, (_, index) => String(index)));
  });

  await t.test('an abort kills the command and what it started, then rejects with the reason', async (t) => {
    const mark = uniqueSeconds();
    const abort = new AbortController();
    const reason = new Error('stop it');
    const started = Date.now();
    const aborted = communicator.exec({
      command: `sh -c 'sleep ${mark} & sleep ${mark} & echo started; wait' & sleep ${mark} | sleep ${mark}; wait`,
      signal: abort.signal,
      onStdout: () => abort.abort(reason),
    });
    await t.rejects(aborted, reason);
    t.ok(Date.now() - started < (options.abortWithin ?? 3) * 1000, `in ${Date.now() - started} ms`);
    t.strictSame(await sleepers(communicator, mark), []);
    t.equal(await text('echo still usable'), 'still usable');
  });

  await t.test('an abort kills a command that ignores the polite signals', async (t) => {
    const mark = uniqueSeconds();
    const abort = new AbortController();
    const aborted = communicator.exec({ command: `trap '' TERM HUP INT PIPE; sh -c "trap '' TERM; echo started; while :; do sleep ${mark}; done"; sleep ${mark}`, signal: abort.signal, onStdout: () => abort.abort(new Error('stop it')) });
    await t.rejects(aborted, { message: 'stop it' });
    t.strictSame(await sleepers(communicator, mark), []);
  });

  await t.test('a signal that is aborted already starts nothing', async (t) => {
    await t.rejects(exec(`: > ${shellQuote(at('never'))}`, { signal: AbortSignal.abort(new Error('too late')) }), { message: 'too late' });
    t.equal((await exec(`test -e ${shellQuote(at('never'))}`)).code, 1);
  });

  await t.test('upload writes a file with its mode', async (t) => {
    await writeFile(here('tool'), bytes(2_500_000, 3), { mode: 0o600 });
    await chmod(here('tool'), 0o751);
    let sent = 0;
    await communicator.upload(here('tool'), at('tool'), { onProgress: (bytes) => { sent = bytes; } });
    t.equal(sent, 2_500_000);
    t.equal(await modeOf(communicator, at('tool')), '751');
    await communicator.download(at('tool'), here('tool-back'));
    t.ok(bytes(2_500_000, 3).equals(await readFile(here('tool-back'))));

    await communicator.upload(here('tool'), at('tool'), { mode: 0o640 });
    t.equal(await modeOf(communicator, at('tool')), '640');
  });

  await t.test('upload takes content and streams, at mode 644 unless told otherwise', async (t) => {
    await communicator.upload(Buffer.from('hello\n'), at('content'));
    t.equal(await text(`cat ${shellQuote(at('content'))}`), 'hello');
    t.equal(await modeOf(communicator, at('content')), '644');
    await communicator.upload(Readable.from(pieces(bytes(700_000, 4))), at('streamed'), { mode: 0o400 });
    t.equal(await modeOf(communicator, at('streamed')), '400');
    await communicator.download(at('streamed'), here('streamed'));
    t.ok(bytes(700_000, 4).equals(await readFile(here('streamed'))));
    await communicator.upload(new Uint8Array(0), at('empty'));
    t.equal((await text(`wc -c < ${shellQuote(at('empty'))}`)).trim(), '0');
    await communicator.upload(Buffer.from('x'), at('content'));
    t.equal(await text(`cat ${shellQuote(at('content'))}`), 'x', 'a longer file is replaced');
  });

  await t.test('a path is data, whatever is in it', async (t) => {
    for (const name of ["it's; rm -rf x", '-rf', '$(touch pwned)', 'ümläut "quoted"', 'back\\slash', 'new\nline', 'a b']) {
      await communicator.upload(Buffer.from(name), at(name));
      await communicator.download(at(name), here('odd'));
      t.equal(await readFile(here('odd'), 'utf8'), name);
    }
    t.equal((await exec(`test -e pwned || test -e ${shellQuote(at('pwned'))}`)).code, 1);
  });

  await t.test('upload and download say what is missing', async (t) => {
    await t.rejects(communicator.upload(Buffer.from('x'), at('no/such/folder/file')), { code: 'UploadFailed' });
    await t.rejects(communicator.upload(here('no-such-file'), at('x')), { code: 'UploadFailed' });
    await t.rejects(communicator.download(at('no-such-file'), here('x')), { code: 'DownloadFailed' });
    await t.rejects(stat(here('x')), { code: 'ENOENT' }, 'no half file is left');
    await t.rejects(communicator.downloadDirectory(at('no-such-folder'), here('x')), { code: 'DownloadFailed' });
    await t.rejects(communicator.uploadDirectory(here('no-such-folder'), at('x')), { code: 'UploadFailed' });
  });

  await t.test('a source that fails in the middle fails the upload', async (t) => {
    async function* broken() {
      yield bytes(100_000, 5);
      throw new Error('disk on fire');
    }
    await t.rejects(communicator.upload(Readable.from(broken()), at('broken')), /disk on fire/);
    t.equal(await text('echo fine'), 'fine');
  });

  await t.test('an abort ends an upload', async (t) => {
    const abort = new AbortController();
    const endless = new Readable({ read() { this.push(bytes(65_536, 6)); } });
    await t.rejects(communicator.upload(endless, at('endless'), { signal: abort.signal, onProgress: (bytes) => { if (bytes > 500_000) abort.abort(new Error('enough')); } }), { message: 'enough' });
    t.equal(await text('echo fine'), 'fine');
  });

  await t.test('a folder goes up and comes back with modes and symbolic links', async (t) => {
    const source = here('tree');
    await mkdir(join(source, 'bin/deep/er'), { recursive: true });
    await mkdir(join(source, 'hollow'));
    await writeFile(join(source, 'bin/run'), '#!/bin/sh\necho ran\n');
    await chmod(join(source, 'bin/run'), 0o755);
    await writeFile(join(source, 'bin/deep/er/secret'), 'hush');
    await chmod(join(source, 'bin/deep/er/secret'), 0o600);
    await writeFile(join(source, '.hidden'), 'dot');
    await writeFile(join(source, "-odd 'name'"), 'odd');
    await chmod(join(source, 'bin/deep'), 0o750);
    await symlink('bin/run', join(source, 'link'));
    await symlink('/no/where', join(source, 'dangling'));
    await symlink('bin', join(source, 'folder-link'));

    const target = at('a place/tree');
    await communicator.uploadDirectory(source, target);
    t.equal(await text(`${shellQuote(`${target}/link`)}`), 'ran');
    t.equal(await modeOf(communicator, `${target}/bin/deep`), '750');
    t.equal(await modeOf(communicator, `${target}/bin/deep/er/secret`), '600');
    t.equal(await text(`readlink ${shellQuote(`${target}/dangling`)}`), '/no/where');
    t.equal((await exec(`test -L ${shellQuote(`${target}/folder-link`)}`)).code, 0, 'a link to a folder stays a link');

    const back = here('back');
    await communicator.downloadDirectory(target, back);
    t.equal(await readFile(join(back, '.hidden'), 'utf8'), 'dot');
    t.equal(await readFile(join(back, "-odd 'name'"), 'utf8'), 'odd');
    t.equal(await readlink(join(back, 'link')), 'bin/run');
    t.ok((await lstat(join(back, 'folder-link'))).isSymbolicLink());
    t.equal((await stat(join(back, 'bin/deep/er/secret'))).mode & 0o777, 0o600);
    t.equal((await stat(join(back, 'bin/deep'))).mode & 0o777, 0o750);
    t.ok((await stat(join(back, 'hollow'))).isDirectory());
  });

  await t.test('a folder that is there already keeps its mode and what else is in it', async (t) => {
    await exec(`mkdir -p ${shellQuote(at('shared'))} && chmod 777 ${shellQuote(at('shared'))} && echo old > ${shellQuote(at('shared/old'))} && echo old > ${shellQuote(at('shared/both'))}`);
    const source = here('new-things');
    await mkdir(source, { mode: 0o700 });
    await writeFile(join(source, 'both'), 'new');
    await communicator.uploadDirectory(source, at('shared'));
    t.equal(await modeOf(communicator, at('shared')), '777');
    t.equal(await text(`cat ${shellQuote(at('shared/old'))} ${shellQuote(at('shared/both'))}`), 'old\nnew');

    const back = here('kept');
    await mkdir(back);
    await chmod(back, 0o711);
    await writeFile(join(back, 'mine'), 'mine');
    await communicator.downloadDirectory(at('shared'), back);
    t.equal((await stat(back)).mode & 0o777, 0o711);
    t.equal(await readFile(join(back, 'mine'), 'utf8'), 'mine');
  });

  await t.test('an empty folder goes both ways', async (t) => {
    await mkdir(here('nothing'));
    await communicator.uploadDirectory(here('nothing'), at('nothing'));
    t.equal((await exec(`test -d ${shellQuote(at('nothing'))}`)).code, 0);
    await communicator.downloadDirectory(at('nothing'), here('nothing-back'));
    t.ok((await stat(here('nothing-back'))).isDirectory());
  });

  await t.test('close may be called twice', async () => {
    await rm(local, { recursive: true, force: true });
    await communicator.close();
    await communicator.close();
  });
}

async function capture(communicator: Communicator, command: string, more: { stdin?: string | Uint8Array | Readable; signal?: AbortSignal }): Promise<Captured> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const { code, disconnected } = await communicator.exec({ command, ...more, onStdout: (line) => { stdout.push(line); }, onStderr: (line) => { stderr.push(line); } });
  return { code, stdout, stderr, disconnected };
}

async function sumOf(result: Promise<Captured>): Promise<string | undefined> {
  return (await result).stdout[0];
}

async function modeOf(communicator: Communicator, path: string): Promise<string | undefined> {
  return (await capture(communicator, `stat -c %a ${shellQuote(path)}`, {})).stdout[0];
}

/** An argument for `sleep` that nobody else uses. */
export function uniqueSeconds(): string {
  return `${1_000 + randomBytes(4).readUInt32BE() % 1_000_000}.${randomBytes(3).readUIntBE(0, 3)}`;
}

/** Command lines of the `sleep <seconds>` processes on the machine. */
export async function sleepers(communicator: Communicator, seconds: string): Promise<readonly string[]> {
  const { stdout } = await capture(communicator, `for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $f; echo; done 2>/dev/null`, {});
  return stdout.filter((line) => line.startsWith(`sleep ${seconds}`));
}

/** Bytes that do not compress to nothing and are the same for the same seed. */
function bytes(length: number, seed: number): Buffer {
  const all = Buffer.alloc(length);
  let state = seed * 2_654_435_761 >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    all[index] = state >>> 24;
  }
  return all;
}

function* pieces(data: Buffer): Generator<Buffer> {
  for (let start = 0; start < data.length; start += 60_000) yield data.subarray(start, start + 60_000);
}
