// The calls that a Docker build comes down to, made one after the other: what bake is measured against.
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import Docker from 'dockerode';
import { pack } from 'tar-stream';

const [image = '', shells = '5', blob = ''] = process.argv.slice(2);
const docker = new Docker();
const container = await docker.createContainer({ Image: image, Entrypoint: ['/bin/sh'], Tty: true, OpenStdin: true });
await container.start();
for (let i = 0; i < Number(shells); i++) {
  const exec = await container.exec({ Cmd: ['/bin/sh', '-c', `echo ${i} > /tmp/step${i}`], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  stream.resume();
  await finished(stream);
  if ((await exec.inspect()).ExitCode !== 0) throw new Error('a shell failed');
}
const archive = pack();
createReadStream(blob).pipe(archive.entry({ name: 'blob', size: statSync(blob).size }, () => archive.finalize()));
await container.putArchive(Readable.from(archive), { path: '/tmp' });
const committed = await container.commit({});
await docker.getImage(committed.Id).tag({ repo: 'bake-bench/by-hand', tag: 'hand' });
await container.remove({ force: true, v: true });
