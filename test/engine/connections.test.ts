import t from 'tap';
import type { Communicator, Connection } from '../../lib/core/communicator.js';
import { Connections } from '../../lib/engine/connections.js';
import type { CommunicatorHost } from '../../lib/engine/extension.js';
import { Registry } from '../../lib/engine/registry.js';

const host = {} as CommunicatorHost;
const to = (name: string): Connection => ({ kind: 'test', name });

function connections() {
  const log: string[] = [];
  const open = async (connection: Connection) => {
    log.push(`open ${String(connection['name'])}`);
    return { kind: 'test', close: async () => { log.push(`close ${String(connection['name'])}`); } } as Communicator;
  };
  return { log, connections: new Connections(new Registry([{ name: 'test', steps: [], communicators: { test: async () => open } }])) };
}

t.test('a machine is connected to once, and its connection closed without those of other machines of its build', async (t) => {
  const { log, connections: all } = connections();
  await Promise.all([all.connect('Web/A', to('one'), host), all.connect('Web/A', to('one'), host), all.connect('Web/A', to('two'), host), all.connect('Web/B', to('one'), host)]);
  t.same(log, ['open one', 'open two', 'open one']);
  await all.close('Web/A', to('one'));
  await all.close('Web/A', to('nowhere'));
  t.same(log.slice(3), ['close one']);
  await all.closeAll();
  t.same(log.slice(4).sort(), ['close one', 'close two']);
});
