import t from 'tap';
import { DockerodeEngine } from '../../../lib/platforms/docker/engine/dockerode-engine.js';
import { need } from '../../support/need.js';
import { baseImage } from './base-image.js';
import { engineContract } from './engine-contract.js';

if (await need(t, 'docker')) {
  const base = await baseImage();
  await t.test('dockerd keeps the contract of engines', async (t) => {
    await engineContract(t, { engine: new DockerodeEngine(), base });
  });
}
