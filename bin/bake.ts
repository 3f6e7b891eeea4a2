#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`bake needs Node.js 20.19 or later; this is ${process.versions.node}\n`);
  process.exit(2);
}
// Only now: what an older Node cannot read must not be loaded before it has been told.
const { runProcess } = await import('../lib/cli/run-process.js');
await runProcess(process);
