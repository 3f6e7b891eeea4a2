import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import { matchesGlob } from '../core/glob.js';
import type { Artifact } from '../core/artifact.js';
import { checkProps } from '../image/check-props.js';
import type { CompiledStep, Machine, PlannedStep, StepOptions } from '../image/compile.js';
import { PostProcessor, postProcessorPropNames } from '../image/post-processor.js';
import { type Provisioner, type ProvisionerProps, provisionerPropNames } from '../image/provisioner.js';
import { Ref } from '../image/ref.js';
import type { Source } from '../image/source.js';
import { tagsOf } from '../image/tags.js';
import type { StepPolicy, StepRole } from '../plan/plan.js';
import { checkBaseProps, policyOf } from './base-props.js';
import type { DraftBuild, DraftStep } from './draft.js';
import type { Findings } from './findings.js';

/** Compiles one source with the provisioners and post-processors of its image to the steps of one build. */
export function compileBuild(source: Source, provisioners: readonly Provisioner[], postProcessors: readonly PostProcessor[], findings: Findings): DraftBuild {
  const location = findings.locationOf(source);
  const variables: Record<string, unknown> = {};
  const build: DraftBuild = {
    id: source.node.path, name: source.node.id, platform: source.platform, steps: [], variables, artifactStep: undefined, machineStep: undefined,
    construct: source, ...(location === undefined ? {} : { location }), artifactOwner: new Map(), postProcessorSteps: new Map(),
  };
  let barrier: string[] = [];

  const add = (construct: IConstruct, role: StepRole, name: string | undefined, step: CompiledStep, options: StepOptions & { policy?: StepPolicy; extraAfter?: readonly string[] } = {}): PlannedStep => {
    const stepLocation = findings.locationOf(construct);
    const own = name === undefined ? '' : `/${name}`;
    const id = role === 'source' ? `${source.node.path}${own}` : `${source.node.path}:${relativePath(construct, source)}${own}`;
    const draft: DraftStep = {
      id, kind: step.kind, title: step.title, role, spec: step.spec, construct,
      after: [...(options.after ?? []).map((other) => other.id), ...(options.extraAfter ?? [])],
      lifetime: step.kind.type === 'action' ? 'none' : options.lifetime ?? 'run',
      ...(options.policy === undefined ? {} : { policy: options.policy }), ...(stepLocation === undefined ? {} : { location: stepLocation }),
    };
    if (build.steps.some((other) => other.id === id)) throw new BakeError({ code: 'DuplicateStep', source: 'bake', message: `the source compiled two steps "${id}"` });
    build.steps.push(draft);
    return plannedStep(draft);
  };

  const provision = (machine: Machine): void => {
    Object.assign(variables, machine.variables);
    build.machineStep = machine.step.id;
    let previous: string[] = [machine.step.id];
    for (const provisioner of provisioners) {
      if (!takesPart(provisioner.props, build.name)) continue;
      findings.guard(provisioner, () => {
        const props = propsFor(provisioner, build.name);
        checkProps(provisioner, props, { ...provisionerPropNames, ...provisioner.propNames });
        checkBaseProps(props);
        const compiled = provisioner.compile(props, {
          buildName: build.name,
          platform: build.platform,
          get connection() { return machine.connection ?? noCommunicator(provisioner, source); }, // only who needs one asks
        });
        const role = props.onError ? 'error-cleanup' : 'provisioner';
        const step = add(provisioner, role, undefined, compiled, { policy: policyOf(props), extraAfter: role === 'provisioner' ? previous : [machine.step.id] });
        if (role === 'provisioner') previous = [step.id];
      });
    }
    barrier = previous;
  };

  findings.guard(source, () => source.compile({
    name: build.name,
    tags: tagsOf(source),
    step: (name, step, options) => add(source, 'source', name, step, { ...options, extraAfter: options?.needsMachine === false ? [] : barrier }),
    provision,
    artifact: (step) => {
      build.artifactStep = step.id;
      const draft = build.steps.find((other) => other.id === step.id);
      if (draft !== undefined && draft.lifetime !== 'none') draft.lifetime = 'artifact';
    },
  }));
  if (build.artifactStep !== undefined) compilePostProcessors(source, build, postProcessors, findings, add);
  return build;
}

type AddStep = (construct: IConstruct, role: StepRole, name: string | undefined, step: CompiledStep, options?: StepOptions & { policy?: StepPolicy; extraAfter?: readonly string[] }) => PlannedStep;

/** Chains start at the build's artifact; one that starts at a post-processor which is left out is left out with it. */
function compilePostProcessors(source: Source, build: DraftBuild, postProcessors: readonly PostProcessor[], findings: Findings, add: AddStep): void {
  const keepers = new Map<string, boolean>();
  for (const postProcessor of inChainOrder(postProcessors)) {
    const { props } = postProcessor;
    if (props.input !== undefined && !PostProcessor.isPostProcessor(props.input)) {
      findings.guard(postProcessor, () => { throw new BakeError({ code: 'InvalidProp', message: '"input" is not a post-processor', hint: 'give it one: const tar = new Compress(…); new Checksum(this, \'Sums\', { input: tar })' }); });
      continue;
    }
    const inputStep = props.input === undefined ? build.artifactStep : build.postProcessorSteps.get(props.input.node.path);
    if (!takesPart(props, build.name) || inputStep === undefined) continue;
    findings.guard(postProcessor, () => {
      checkProps(postProcessor, props, { ...postProcessorPropNames, ...postProcessor.propNames });
      checkBaseProps(props);
      const owner = build.artifactOwner.get(inputStep) ?? inputStep;
      const artifact = new Ref<Artifact>({ step: inputStep, output: 'artifact' });
      const input = [inputStep, owner];
      const before: PlannedStep[] = [];
      const policy = policyOf(props);
      const compiled = postProcessor.compile(props, {
        buildName: build.name, platform: build.platform, artifact,
        step: (name, step, options) => {
          const planned = add(postProcessor, 'post-processor', name, step, { ...options, policy, extraAfter: options?.needsMachine === false ? [] : input });
          if (step.kind.type === 'action' || options?.lifetime === 'artifact') before.push(planned);
          return planned;
        },
        trial: (ports) => {
          const trial = source.trial?.({ buildName: build.name, artifact, ports, step: (name, step, options) => add(postProcessor, 'post-processor', name, step, { ...options, extraAfter: input }) });
          if (trial === undefined) throw noTrial(postProcessor, source);
          before.push(...trial.after ?? []);
          return trial;
        },
      });
      const step = add(postProcessor, 'post-processor', undefined, compiled, { lifetime: 'artifact', after: before, policy, extraAfter: input });
      build.postProcessorSteps.set(postProcessor.node.path, step.id);
      if (compiled.kind.type === 'action' || compiled.kind.passesOn === true) build.artifactOwner.set(step.id, owner);
      const keeps = props.keepInputArtifact ?? postProcessor.keepsInputByDefault;
      keepers.set(owner, (keepers.get(owner) ?? false) || keeps);
    });
  }
  for (const [owner, keeps] of keepers) {
    const draft = build.steps.find((step) => step.id === owner);
    if (keeps || draft === undefined || draft.lifetime !== 'artifact') continue;
    draft.lifetime = 'run';
    for (const step of build.steps) if (step.construct === draft.construct && step.kind.part === true && step.lifetime === 'artifact') step.lifetime = 'run';
  }
}

/** A post-processor may be written before the one it takes its input from. */
function inChainOrder(postProcessors: readonly PostProcessor[]): readonly PostProcessor[] {
  const ordered = new Set<PostProcessor>();
  const place = (postProcessor: PostProcessor, behind: readonly PostProcessor[]): void => {
    if (ordered.has(postProcessor)) return;
    const { input } = postProcessor.props;
    if (input !== undefined && postProcessors.includes(input) && !behind.includes(input)) place(input, [...behind, postProcessor]);
    ordered.add(postProcessor);
  };
  for (const postProcessor of postProcessors) place(postProcessor, []);
  return [...ordered];
}

function plannedStep(draft: DraftStep): PlannedStep {
  return {
    id: draft.id,
    ref: (output) => {
      const [name = ''] = output.split('.');
      if (!draft.kind.outputs.includes(name)) throw unknownOutput(draft.kind.kind, name, draft.kind.outputs);
      return new Ref({ step: draft.id, output });
    },
  };
}

/** The error of asking a step for what it does not have. */
export function unknownOutput(kind: string, name: string, outputs: readonly string[]): BakeError {
  const near = closest(name, outputs);
  return new BakeError({
    code: 'UnknownOutput',
    message: `${kind} has no output "${name}"`,
    hint: near === undefined ? `its outputs are ${outputs.join(', ') || 'none'}` : `did you mean "${near}"?`,
  });
}

function noCommunicator(provisioner: IConstruct, source: IConstruct): never {
  throw new BakeError({
    code: 'NoCommunicator',
    message: `${provisioner.constructor.name} needs a machine, and ${source.node.path} has none`,
    hint: `give the source a machine, or leave it out here with except: ['${source.node.id}']`,
  });
}

function noTrial(postProcessor: IConstruct, source: Source): BakeError {
  return new BakeError({
    code: 'NoTrial',
    message: `${postProcessor.constructor.name} starts the finished image, and a ${source.platform} source cannot do that`,
    hint: `leave it out here with except: ['${source.node.id}']`,
  });
}

function takesPart({ only, except }: Pick<ProvisionerProps, 'only' | 'except'>, buildName: string): boolean {
  const matches = (globs: readonly string[]) => globs.some((glob) => matchesGlob(buildName, glob));
  return (only === undefined || matches(only)) && !(except !== undefined && matches(except));
}

function propsFor(provisioner: Provisioner, buildName: string): ProvisionerProps {
  const override = provisioner.props.override?.[buildName];
  return override === undefined ? provisioner.props : { ...provisioner.props, ...override };
}

/** The path of a construct inside the image that the source belongs to. */
function relativePath(construct: IConstruct, source: IConstruct): string {
  const image = source.node.path.split('/');
  const path = construct.node.path.split('/');
  let shared = 0;
  while (shared < image.length - 1 && image[shared] === path[shared]) shared++;
  return path.slice(shared).join('/');
}
