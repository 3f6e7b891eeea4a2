import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { folderFromTar } from '../../../lib/communicators/docker-exec/tar-in.js';
import { execFileSync } from 'node:child_process';
const id = execFileSync('docker',['run','-dit','--entrypoint','/bin/sh','bake-test/debian:12']).toString().trim();
execFileSync('docker',['exec',id,'sh','-c','mkdir -p /w/a/b /w/h; echo hi > /w/a/f; ln -s /no /w/l; ln -s a /w/k; echo x > /w/e']);
process.on('exit',()=>execFileSync('docker',['rm','-f',id]));
const e = new DockerodeEngine();
await folderFromTar(await e.container(id).getArchive('/w/.'), '/tmp/zzout', {});
console.log('done');
