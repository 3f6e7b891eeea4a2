import t from 'tap';
import { FakeDockerEngine } from '../../../lib/platforms/docker/engine/fake-docker-engine.js';
import { engineContract } from './engine-contract.js';

t.test('the fake daemon keeps the contract of engines', async (t) => {
  const engine = new FakeDockerEngine();
  engine.addImage('debian:12');
  await engineContract(t, { engine, base: 'debian:12' });
});
