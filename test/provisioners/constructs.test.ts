import t from 'tap';
import { Duration } from '../../lib/core/duration.js';
import type { JsonObject } from '../../lib/core/json.js';
import { Secret } from '../../lib/core/secret.js';
import { resetAmbient } from '../../lib/image/ambient.js';
import { App } from '../../lib/image/app.js';
import { Image } from '../../lib/image/image.js';
import { build, str } from '../../lib/image/ref.js';
import { DockerSource } from '../../lib/platforms/docker/index.js';
import { Breakpoint } from '../../lib/provisioners/breakpoint/breakpoint.js';
import { File, type FileProps } from '../../lib/provisioners/file/file.js';
import { Shell, type ShellProps } from '../../lib/provisioners/shell/shell.js';
import { ShellLocal, type ShellLocalProps } from '../../lib/provisioners/shell-local/shell-local.js';
import { Sleep } from '../../lib/provisioners/sleep/sleep.js';
import { synthesize } from '../../lib/synth/synthesize.js';

function synth(describe: (image: Image) => void) {
  resetAmbient({});
  const app = new App();
  const image = new Image(app, 'Web');
  new DockerSource(image, 'Docker', { image: 'debian:12', discard: true });
  describe(image);
  const { plans, diagnostics } = synthesize({ apps: [app], diagnostics: [] });
  const step = plans[0]?.steps.find((one) => one.role === 'provisioner');
  return { step, spec: step?.spec as JsonObject | undefined, diagnostics };
}
const shell = (props: ShellProps) => synth((image) => { new Shell(image, 'Step', props); });
const local = (props: ShellLocalProps) => synth((image) => { new ShellLocal(image, 'Step', props); });
const file = (props: FileProps) => synth((image) => { new File(image, 'Step', props); });
/** Props that no type checker would let through. */
const untyped = <P>(props: object): P => props as P;
const findings = ({ diagnostics }: ReturnType<typeof synth>) => diagnostics.map(({ code, message }) => `${code}: ${message}`);

t.test('Shell compiles to a script on the machine', async (t) => {
  const { step, spec, diagnostics } = shell({
    inline: ['apt-get update', str`echo ${build.name} on ${build.id}`], environment: { TOKEN: Secret.env('TOKEN') }, executeCommand: 'sudo {{.Vars}} {{.Path}}',
    startRetryTimeout: Duration.minutes(1), pauseAfter: Duration.seconds(2), expectDisconnect: true, validExitCodes: [0, 3], remotePath: '/tmp/setup.sh',
  });
  t.strictSame(diagnostics, []);
  t.match(step, { id: 'Web/Docker:Step', kind: 'shell.script', title: 'shell: 2 lines', lifetime: 'none' });
  t.strictSame(spec, {
    connection: { $ref: 'Web/Docker/Container#connection' },
    inline: ['apt-get update', { $join: ['echo Docker on ', { $ref: 'Web/Docker/Container#id' }] }],
    environment: { TOKEN: { $secret: { from: 'env', name: 'TOKEN' } } }, executeCommand: 'sudo {{.Vars}} {{.Path}}',
    startRetryTimeout: 60_000, pauseAfter: 2_000, expectDisconnect: true, validExitCodes: [0, 3], remotePath: '/tmp/setup.sh',
  });
  t.match(shell({ scripts: ['a.sh', 'b/c.sh', 'd.sh'] }).step, { title: 'shell: a.sh and 2 more', spec: { scripts: [{ $asset: { pending: 'a.sh', type: 'file' } }, {}, {}] } });
});

t.test('ShellLocal needs no machine', async (t) => {
  const { step, spec, diagnostics } = local({ command: 'make', workingDirectory: 'app', onlyOn: ['linux'], executeCommand: ['/bin/bash', '{{.Script}}'] });
  t.strictSame(diagnostics, []);
  t.match(step, { kind: 'shell-local.script', title: 'shell-local: 1 command' });
  t.strictSame(spec, { command: 'make', workingDirectory: 'app', onlyOn: ['linux'], executeCommand: ['/bin/bash', '{{.Script}}'] });
});

t.test('File stages what is here, and takes at run time what is made then', async (t) => {
  t.strictSame(file({ source: './site/', destination: '/var/www' }).spec, {
    connection: { $ref: 'Web/Docker/Container#connection' }, direction: 'upload', destination: '/var/www', assets: [{ asset: { $asset: { pending: './site/', type: 'directory' } }, contents: true }],
  });
  t.equal(file({ source: './site/', destination: '/var/www' }).step?.title, 'file: upload ./site/ to /var/www');
  t.match(file({ source: 'key', destination: '/etc/key', mode: 0o600 }).spec?.['assets'], [{ asset: { $asset: { type: 'file' } } }], 'a folder in its place is known before a machine is started');
  t.match(file({ sources: ['a', 'b'], destination: '/opt/' }).spec?.['assets'], [{ contents: false }, { contents: false }]);
  t.match(file({ source: 'dist/app', generated: true, destination: '/opt/' }).spec, { paths: ['dist/app'] });
  t.match(file({ source: str`/tmp/${build.name}`, destination: '/opt/' }).spec, { paths: ['/tmp/Docker'] });
  t.match(file({ direction: 'download', source: '/var/log/x', destination: 'logs/' }).spec, { paths: ['/var/log/x'], direction: 'download' });
  t.match(file({ content: str`key=${Secret.env('KEY')}`, destination: '/etc/key', mode: 0o600 }).spec, { content: { $join: ['key=', {}] }, mode: 384 });
});

t.test('Sleep and Breakpoint are data', async (t) => {
  t.match(synth((image) => { new Sleep(image, 'Step', { duration: Duration.seconds(90) }); }).step, { kind: 'sleep.pause', title: 'sleep: 1m30s', spec: { duration: 90_000 } });
  t.match(synth((image) => { new Breakpoint(image, 'Step', { note: 'look' }); }).step, { kind: 'breakpoint.stop', title: 'breakpoint: look', spec: { note: 'look' } });
});

t.test('what makes no sense is a finding of the step', async (t) => {
  t.strictSame(findings(shell({})), ['ScriptChoice: Shell has nothing to run']);
  t.strictSame(findings(shell({ inline: ['x'], script: 'x' })), ['ScriptChoice: Shell has inline and script, so it is not clear what to run']);
  t.strictSame(findings(shell({ inline: [] })), ['ScriptChoice: "inline" of Shell is empty']);
  t.strictSame(findings(shell({ scripts: [] })), ['ScriptChoice: "scripts" of Shell is empty']);
  t.strictSame(findings(shell(untyped({ scripts: 'x' }))), ['ScriptChoice: "scripts" of Shell is not a list']);
  t.strictSame(findings(shell(untyped({ script: 5 }))), ['ScriptChoice: "script" of Shell is not a path']);
  t.strictSame(findings(shell({ inline: ['x'], environment: { 'A-B': 'x' } })), ['InvalidVariableName: "A-B" cannot be the name of an environment variable']);
  t.strictSame(findings(shell({ inline: ['x'], executeCommand: '{{.path}}' })), ['UnknownTemplateName: "{{.path}}" in executeCommand stands for nothing']);
  t.match(findings(shell({ inline: ['x'], remotePath: '/tmp/a;rm -rf ~' })), [/InvalidProp: "remotePath" is "\/tmp\/a;rm -rf ~"/]);
  t.match(findings(shell({ inline: ['x'], remoteFolder: 'relative' })), [/InvalidProp: "remoteFolder"/]);
  t.match(findings(shell({ inline: ['x'], inlineShebang: '#!/bin/bash' })), [/InvalidProp: "inlineShebang"/]);
  t.match(findings(shell(untyped({ inline: ['x'], validExitCodes: ['0'] }))), [/InvalidProp: "validExitCodes.0"/]);
  t.match(findings(shell(untyped({ inlin: ['x'] }))), [/ScriptChoice/, /UnknownProp: Shell has no prop "inlin"/]);
  t.match(findings(shell(untyped({ inline: ['x', 5] }))), [/InvalidProp: "inline.1" is 5/]);

  t.strictSame(findings(local({ command: 'a', inline: ['b'] })), ['ScriptChoice: ShellLocal has command and inline, so it is not clear what to run']);
  t.strictSame(findings(local({ command: '' })), ['ScriptChoice: "command" of ShellLocal is empty']);
  t.strictSame(findings(local({ command: 'a', executeCommand: ['bash'] })), ['ExecuteCommandWithoutScript: executeCommand never names the script']);
  t.match(findings(local({ command: 'a', tempfileExtension: '/../x' })), [/InvalidProp: "tempfileExtension"/]);
  t.match(findings(local(untyped({ command: 'a', onlyOn: ['beos'] }))), [/InvalidProp: "onlyOn.0" is "beos"/]);

  t.strictSame(findings(file({ destination: '/x' })), ['FileChoice: File has nothing to copy']);
  t.strictSame(findings(file({ source: 'a', content: 'b', destination: '/x' })), ['FileChoice: File has source and content, so it is not clear what to copy']);
  t.strictSame(findings(file({ sources: ['a', 'b'], destination: '/x' })), ['FileChoice: the destination "/x" of several sources is not a folder']);
  t.strictSame(findings(file({ content: 'a', destination: '/x/' })), ['FileChoice: content cannot go to "/x/", which is a folder']);
  t.strictSame(findings(file({ direction: 'download', content: 'a', destination: 'x' })), ['FileChoice: content cannot be downloaded']);
  t.strictSame(findings(file(untyped({ source: 5, destination: '/x' }))), ['FileChoice: the source 5 of File is not a path']);
  t.match(findings(file(untyped({ source: 'a' }))), [/MissingProp: "destination" is missing/]);
  t.match(findings(file({ source: 'a', destination: '/x', mode: 0o77777 })), [/InvalidProp: "mode"/]);

  t.strictSame(findings(file({ source: 'site/', destination: '/x', mode: 0o600 })), ['FileChoice: mode is for files, and the source is a folder']);
  t.strictSame(findings(file({ sources: ['a', 'site/'], destination: '/x/', mode: 0o600 })), ['FileChoice: mode is for files, and the source is a folder']);

  t.strictSame(findings(shell(untyped({ inline: ['x'], startRetryTimeout: 5 }))), ['InvalidProp: "startRetryTimeout" is 5, not a Duration']);
  t.strictSame(findings(shell(untyped({ inline: ['x'], pauseAfter: '5s' }))), ['InvalidProp: "pauseAfter" is 5s, not a Duration']);
  t.match(findings(synth((image) => { new Sleep(image, 'Step', untyped({ duration: 5 })); })), [/InvalidProp: "duration" is 5, not a Duration/]);
});

t.test('overrides for one source are checked like the rest', async (t) => {
  t.strictSame(findings(shell({ inline: ['x'], override: { Docker: { script: 'y.sh' } } })), ['ScriptChoice: Shell has inline and script, so it is not clear what to run']);
  t.match(shell({ inline: ['x'], override: { Docker: { inline: ['y', 'z'] } } }).spec, { inline: ['y', 'z'] });
});
