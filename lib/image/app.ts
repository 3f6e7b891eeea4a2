import { RootConstruct } from 'constructs';
import { ambient } from './ambient.js';

/**
 * The root of the tree: everything one `image.ts` describes. Making it is enough; `bake` finds it.
 * @example
 * const app = new App();
 * new Web(app, 'Web');
 */
export class App extends RootConstruct {
  constructor() {
    super();
    ambient().apps.push(this);
  }
}
