import type { JsonObject } from '../../../core/json.js';
import type { ActionHandler } from '../../../engine/handler.js';

/** Does nothing: provisioners that need no machine need nothing made for them. */
export const nowhereHandler: ActionHandler<object, JsonObject> = {
  async run() {
    return {};
  },
};
