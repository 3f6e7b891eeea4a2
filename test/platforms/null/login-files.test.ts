import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeLoginFiles } from '../../../lib/platforms/null/engine/fake-login-files.js';
import { hostLoginFiles } from '../../../lib/platforms/null/engine/host-login-files.js';
import { loginFilesContract } from './login-files-contract.js';

t.test('the fake keeps the contract', async (t) => {
  const files = new FakeLoginFiles();
  await loginFilesContract(t, { files, missing: '/none', put: async (name, mode) => { files.put(`/${name}`, mode); return `/${name}`; } });
});

t.test('the files of this computer keep the contract', async (t) => {
  const folder = t.testdir({});
  await loginFilesContract(t, {
    files: hostLoginFiles,
    missing: join(folder, 'none'),
    put: async (name, mode) => {
      const path = join(folder, name);
      if (mode === undefined) await mkdir(path);
      else await writeFile(path, '').then(() => chmod(path, mode));
      return path;
    },
  });
});
