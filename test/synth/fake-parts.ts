import { z } from 'zod';
import type { CompiledStep, BuildPlanner } from '../../lib/image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../lib/image/post-processor.js';
import { Provisioner, type ProvisionerProps } from '../../lib/image/provisioner.js';
import type { Input, TextInput } from '../../lib/image/ref.js';
import { Source } from '../../lib/image/source.js';
import { late } from '../../lib/plan/late.js';
import { defineStepKind } from '../../lib/plan/step-kind.js';

const machine = defineStepKind({ kind: 'test.machine', type: 'resource', noun: 'machine', spec: z.strictObject({ base: late(z.string()).optional() }), outputs: ['connection', 'address'], version: 1 });
const capture = defineStepKind({ kind: 'test.capture', type: 'resource', noun: 'image', spec: z.strictObject({}), outputs: ['artifact'], version: 1 });
const script = defineStepKind({ kind: 'test.script', type: 'action', spec: z.strictObject({ lines: z.array(late(z.string())), connection: late(z.object({})) }), outputs: [], version: 1 });
const pack = defineStepKind({ kind: 'test.pack', type: 'resource', noun: 'file', spec: z.strictObject({ artifact: late(z.object({})), level: z.number().int().max(9).optional() }), outputs: ['artifact'], version: 1 });
const note = defineStepKind({ kind: 'test.note', type: 'action', spec: z.strictObject({ artifact: late(z.object({})) }), outputs: ['artifact'], version: 1 });

/** A source with one machine and one artifact. */
export class TestSource extends Source {
  readonly platform = 'test';
  readonly base: Input<string> | undefined;

  constructor(scope: ConstructorParameters<typeof Source>[0], id: string, props: { readonly base?: Input<string> } = {}) {
    super(scope, id);
    this.base = props.base;
  }

  compile(build: BuildPlanner): void {
    const started = build.step('Machine', { kind: machine, title: 'machine', spec: { base: this.base } });
    build.provision({ step: started, connection: started.ref('connection'), variables: { host: started.ref('address') } });
    build.artifact(build.step('Capture', { kind: capture, title: 'capture', spec: {} }, { after: [started] }));
  }
}

export interface ScriptProps extends ProvisionerProps {
  readonly lines: readonly TextInput[];
}

export class Script extends Provisioner<ScriptProps> {
  readonly propNames = { lines: true } as const;
  compile({ lines }: ScriptProps, { connection }: Parameters<Provisioner['compile']>[1]): CompiledStep {
    return { kind: script, title: `script: ${lines.length} lines`, spec: { lines, connection } };
  }
}

export class Pack extends PostProcessor<PostProcessorProps & { readonly level?: number }> {
  readonly propNames = { level: true } as const;
  readonly keepsInputByDefault = false;
  compile({ level }: { readonly level?: number }, { artifact }: Parameters<PostProcessor['compile']>[1]): CompiledStep {
    return { kind: pack, title: 'pack', spec: { artifact, level } };
  }
}

export class Note extends PostProcessor {
  readonly propNames = {};
  readonly keepsInputByDefault = true;
  compile(_: PostProcessorProps, { artifact }: Parameters<PostProcessor['compile']>[1]): CompiledStep {
    return { kind: note, title: 'note', spec: { artifact } };
  }
}
