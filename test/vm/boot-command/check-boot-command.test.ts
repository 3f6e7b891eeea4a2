import t from 'tap';
import { Secret } from '../../../lib/core/secret.js';
import { Ref, str } from '../../../lib/image/ref.js';
import { checkBootCommand } from '../../../lib/vm/boot-command/check-boot-command.js';

const port = new Ref<number>({ step: 'Web/Qemu/http', output: 'port' });

t.test('a boot command with late values is checked around them', async (t) => {
  checkBootCommand(['<esc><wait>', str`auto url=http://10.0.2.2:${port}/preseed.cfg<enter>`, Secret.env('PASSWORD'), str`<wait${port}><f${port}>`]);
  checkBootCommand('linux<enter>');
  t.throws(() => checkBootCommand(['<esc>', str`port=${port} <etner>`]), {
    code: 'UnknownBootKey', message: '<etner> is not a key, at item 2, character 8 of the boot command\n  port=… <etner>\n         ^^^^^^^',
  });
});
