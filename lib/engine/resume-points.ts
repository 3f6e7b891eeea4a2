import type { EventBody } from '../core/events.js';
import type { Decision } from './cache/decide.js';
import type { BuildState } from './run-state.js';

/** The last step of each build after which a later run can go on, by its name in the build. */
export class ResumePoints {
  readonly #steps = new Map<string, string>();

  /** Looks at all events on their way. */
  watching(notify: (event: EventBody) => void): (event: EventBody) => void {
    return (event) => {
      if (event.type === 'checkpoint.saved' && event.build !== undefined) this.#steps.set(event.build, event.step.slice(event.build.length + 1));
      notify(event);
    };
  }

  /** To be told of what is taken from earlier runs; gives the step after which the build goes on, if its machine is brought back. */
  decided({ plan, steps }: BuildState, { done, checkpoint }: Decision): string | undefined {
    if (checkpoint === undefined) return undefined;
    const last = steps.findLast((state) => state.step.role === 'provisioner' && done.has(state))?.step.id ?? plan.machine ?? checkpoint.step;
    const name = last.slice(plan.id.length + 1);
    this.#steps.set(plan.id, name);
    return name;
  }

  of({ plan, status }: BuildState): string | undefined {
    return status === 'succeeded' ? undefined : this.#steps.get(plan.id);
  }
}
