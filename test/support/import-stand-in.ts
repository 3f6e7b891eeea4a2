// In front of moto, which does not know ImportSnapshot: reads the object from moto's S3, and puts what the disk in it has into a snapshot of moto's.
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CompleteSnapshotCommand, EBSClient, PutSnapshotBlockCommand, StartSnapshotCommand } from '@aws-sdk/client-ebs';
import { DeleteSnapshotCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Test } from 'tap';

const run = promisify(execFile);
const blockSize = 512 * 1024;
const formats: Readonly<Record<string, string>> = { VMDK: 'vmdk', VHD: 'vpc', RAW: 'raw' };

interface Task {
  readonly id: string;
  readonly clientToken: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  status: 'active' | 'deleting' | 'deleted' | 'completed';
  message: string;
  progress: number;
  snapshotId: string;
  looks: number;
}

export interface ImportStandIn {
  readonly url: string;
  /** The status of each task that it was ever asked for. */
  readonly statuses: () => readonly string[];
  /** What it was asked to read: bucket and key. */
  readonly read: readonly string[];
}

/**
 * Starts one. A task goes on with each look at it; its snapshot is there when `looks` of them were taken.
 * @param before is told of each action of EC2 and each path of others, and may make it wait
 */
export async function startImportStandIn(t: Test, moto: string, { looks = 3, before = async () => {} }: { readonly looks?: number; readonly before?: (action: string) => Promise<void> } = {}): Promise<ImportStandIn> {
  const options = { endpoint: moto, region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const [ebs, ec2] = [new EBSClient(options), new EC2Client(options)];
  const tasks = new Map<string, Task>();
  const read: string[] = [];

  async function snapshotOf(bucket: string, key: string, format: string): Promise<string> {
    read.push(`${bucket}/${key}`);
    const answer = await fetch(`${moto}/${bucket}/${key}`, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=x' } });
    if (!answer.ok) throw new Error(`ClientError: Disk validation failed [the object cannot be read: ${answer.status}]`);
    const folder = mkdtempSync(join(tmpdir(), 'bake-test-import-'));
    try {
      const [object, raw] = [join(folder, 'object'), join(folder, 'raw')];
      await writeFile(object, Buffer.from(await answer.arrayBuffer()));
      await run('qemu-img', ['convert', '-f', formats[format]!, '-O', 'raw', object, raw]).catch((error: Error) => { throw new Error(`ClientError: Disk validation failed [${error.message.split('\n')[1] ?? ''}]`); });
      const bytes = await readFile(raw);
      const { SnapshotId = '' } = await ebs.send(new StartSnapshotCommand({ VolumeSize: Math.max(1, Math.ceil(bytes.length / 1024 ** 3)) }));
      const empty = Buffer.alloc(blockSize);
      for (let index = 0; index * blockSize < bytes.length; index++) {
        const block = Buffer.concat([bytes.subarray(index * blockSize, (index + 1) * blockSize)], blockSize);
        if (!block.equals(empty)) await ebs.send(new PutSnapshotBlockCommand({ SnapshotId, BlockIndex: index, BlockData: block, DataLength: blockSize, Checksum: createHash('sha256').update(block).digest('base64'), ChecksumAlgorithm: 'SHA256' }));
      }
      await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1 }));
      return SnapshotId;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  function start(body: URLSearchParams): Task {
    const clientToken = body.get('ClientToken') ?? randomUUID();
    const known = [...tasks.values()].find((task) => task.clientToken === clientToken);
    if (known !== undefined) return known;
    if (body.get('TagSpecification.1.ResourceType') !== 'import-snapshot-task') throw new Error('tags of something else');
    const tags = Array.from({ length: 50 }, (_, index) => [body.get(`TagSpecification.1.Tag.${index + 1}.Key`), body.get(`TagSpecification.1.Tag.${index + 1}.Value`)] as const).filter((tag): tag is readonly [string, string] => tag[0] !== null);
    const task: Task = { id: `import-snap-${randomUUID().slice(0, 8)}`, clientToken, tags, status: 'active', message: 'pending', progress: 0, snapshotId: '', looks: 0 };
    tasks.set(task.id, task);
    const [bucket, key, format] = ['UserBucket.S3Bucket', 'UserBucket.S3Key', 'Format'].map((name) => body.get(`DiskContainer.${name}`) ?? '');
    snapshotOf(bucket!, key!, format!).then(async (id) => {
      task.snapshotId = id;
      if (task.status === 'deleting') await remove(task);
    }, (error: Error) => Object.assign(task, { status: 'deleted', message: error.message }));
    return task;
  }

  async function remove(task: Task): Promise<void> {
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId: task.snapshotId }));
    task.status = 'deleted';
  }

  function look(task: Task): void {
    if (task.status !== 'active') return;
    task.looks++;
    Object.assign(task, { message: 'converting', progress: Math.min(95, task.looks * 30) });
    if (task.snapshotId !== '' && task.looks >= looks) Object.assign(task, { status: 'completed', message: '', progress: 100 });
  }

  const answers: Readonly<Record<string, (body: URLSearchParams) => string>> = {
    ImportSnapshot: (body) => `<importTaskId>${start(body).id}</importTaskId>`,
    CancelImportTask: (body) => {
      const task = tasks.get(body.get('ImportTaskId') ?? '');
      if (task?.status === 'active') {
        Object.assign(task, { status: 'deleting', message: 'cancelled' });
        if (task.snapshotId !== '') void remove(task);
      }
      return '<previousState>active</previousState><state>deleted</state>';
    },
    DescribeImportSnapshotTasks: (body) => {
      const wanted = Array.from({ length: 50 }, (_, index) => body.get(`ImportTaskId.${index + 1}`)).filter((id) => id !== null);
      const found = [...tasks.values()].filter(({ id }) => wanted.length === 0 || wanted.includes(id));
      for (const task of found) look(task);
      return `<importSnapshotTaskSet>${found.map(({ id, status, message, progress, snapshotId, tags }) => `<item><importTaskId>${id}</importTaskId><snapshotTaskDetail><status>${status}</status><statusMessage>${message}</statusMessage><progress>${progress}</progress>${status === 'completed' ? `<snapshotId>${snapshotId}</snapshotId>` : ''}</snapshotTaskDetail><tagSet>${tags.map(([key, value]) => `<item><key>${key}</key><value>${value}</value></item>`).join('')}</tagSet></item>`).join('')}</importSnapshotTaskSet>`;
    },
  };

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const form = new URLSearchParams(incoming.url === '/' && incoming.method === 'POST' ? body.toString('latin1') : '');
      const action = form.get('Action') ?? `${incoming.method} ${incoming.url}`;
      void before(action).then(() => {
        const answer = answers[action];
        if (answer === undefined) return forward(moto, incoming, body, response);
        response.writeHead(200, { 'content-type': 'text/xml' }).end(`<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>${answer(form)}</${action}Response>`);
      });
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.teardown(() => { server.closeAllConnections(); server.close(); });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, statuses: () => [...tasks.values()].map(({ status }) => status), read };
}

function forward(target: string, { url = '/', method, headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const outgoing = request(new URL(url, target), { method: method ?? 'POST', headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  outgoing.end(body);
}
