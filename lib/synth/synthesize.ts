import type { IConstruct } from 'constructs';
import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { matchesGlob } from '../core/glob.js';
import { annotationsOf } from '../image/annotations.js';
import type { App } from '../image/app.js';
import { Aspects } from '../image/aspects.js';
import { Image } from '../image/image.js';
import { PostProcessor } from '../image/post-processor.js';
import { Provisioner } from '../image/provisioner.js';
import { Source } from '../image/source.js';
import { tagsOf } from '../image/tags.js';
import { findCycle } from '../plan/graph.js';
import { planSchemaVersion, type Plan, type PlanStep } from '../plan/plan.js';
import { checkTargets } from './base-props.js';
import { checkSpec } from './check-spec.js';
import { compileBuild } from './compile-build.js';
import type { DraftBuild } from './draft.js';
import { Findings, type Locate } from './findings.js';
import { renderSpec } from './render.js';
import { type TreeNode, treeOf } from './tree.js';

export interface SynthInput {
  readonly apps: readonly App[];
  /** What constructs found while they were made. */
  readonly diagnostics: readonly Diagnostic[];
  /** @default - places are taken as they are */
  readonly locate?: Locate;
}

/** The plans with their assets still pending: what assembly goes on with. */
export interface Synthesized {
  readonly plans: readonly Plan[];
  readonly tree: TreeNode;
  /** Errors, warnings and infos. With an error the plans are incomplete and must not be used. */
  readonly diagnostics: readonly Diagnostic[];
  /** Values of the literal secrets, by index. */
  readonly literals: readonly string[];
}

/**
 * Compiles construct trees to plans. Pure: it reads no file, no clock and no network, and gives the same bytes for the
 * same tree. All findings are collected; none is thrown.
 */
export function synthesize({ apps, diagnostics, locate = (location) => location }: SynthInput): Synthesized {
  const findings = new Findings(locate);
  for (const diagnostic of diagnostics) findings.addRaw(diagnostic);
  for (const app of apps) applyAspects(app);

  const nodes = apps.flatMap((app) => app.node.findAll());
  for (const node of nodes) {
    for (const message of node.node.validate()) findings.add(node, { code: 'ValidationFailed', severity: 'error', message });
  }
  const images = nodes.filter(Image.isImage);
  if (apps.length > 0 && images.length === 0) findings.addRaw({ code: 'NoImages', severity: 'error', message: 'the app has no images', hint: "write new Image(app, 'Web') and give it a source" });

  const drafts = images.map((image) => ({ image, builds: compileImage(image, nodes, findings) }));
  const scope = { builds: drafts.flatMap((draft) => draft.builds), literals: [] as string[] };
  const plans = drafts.map(({ image, builds }): Plan => ({
    schema: planSchemaVersion,
    image: image.node.path,
    tags: tagsOf(image),
    builds: builds.filter((build) => build.artifactStep !== undefined).map((build) => ({
      id: build.id, name: build.name, platform: build.platform, artifact: { $ref: `${build.artifactStep}#artifact` }, ...(build.machineStep === undefined ? {} : { machine: build.machineStep }), ...(build.location === undefined ? {} : { source: build.location }),
    })),
    steps: builds.flatMap((build) => planSteps(build, scope, findings)),
  }));
  // Last: compiling adds annotations too.
  for (const node of nodes) for (const note of annotationsOf(node)) findings.add(node, note);
  const cycle = findCycle(plans.flatMap((plan) => plan.steps));
  if (cycle !== undefined) findings.addRaw({ code: 'DependencyCycle', severity: 'error', message: `these need each other: ${cycle.join(' → ')}`, hint: 'let one of them start from something else' });
  return { plans, tree: treeOf(apps, (node) => findings.locationOf(node)), diagnostics: findings.all, literals: scope.literals };
}

function applyAspects(app: App): void {
  const visit = (phase: 'mutate' | 'check') => {
    for (const scope of app.node.findAll()) for (const aspect of Aspects.of(scope).ofPhase(phase)) for (const node of scope.node.findAll()) aspect.visit(node);
  };
  visit('mutate');
  app.node.lock();
  visit('check');
}

function compileImage(image: Image, nodes: readonly IConstruct[], findings: Findings): readonly DraftBuild[] {
  const mine = nodes.filter((node) => imageOf(node) === image);
  const sources = mine.filter(Source.isSource);
  // A part whose sources cannot be told is a finding, and takes no part in anything else.
  const hasTargets = (part: Provisioner | PostProcessor) => findings.guard(part, () => { checkTargets(part.props); return true; }) === true;
  const provisioners = mine.filter(Provisioner.isProvisioner).filter(hasTargets);
  const postProcessors = mine.filter(PostProcessor.isPostProcessor).filter(hasTargets);
  if (sources.length === 0) findings.add(image, { code: 'NoSource', severity: 'error', message: `${image.node.path} has no source, so there is nothing to build it from`, hint: 'add one, such as new DockerSource(this, …)' });
  const names = sources.map((source) => source.node.id);
  for (const part of [...provisioners, ...postProcessors]) checkSourceNames(part, names, findings);
  for (const name of names.filter((one, index) => names.indexOf(one) !== index)) {
    findings.add(image, { code: 'DuplicateSource', severity: 'error', message: `${image.node.path} has two sources with the id "${name}"`, hint: 'only, except and the manifest name sources by id: give each its own' });
  }
  return sources.map((source) => compileBuild(source, provisioners, postProcessors, findings));
}

function imageOf(node: IConstruct): Image | undefined {
  return node.node.scopes.filter(Image.isImage).filter((scope) => scope !== node).at(-1);
}

function checkSourceNames(part: Provisioner | PostProcessor, names: readonly string[], findings: Findings): void {
  const { only = [], except = [], override = {} } = part.props as Provisioner['props'];
  const unknown = [...only, ...except].filter((glob) => !names.some((name) => matchesGlob(name, glob)));
  // Overrides are looked up by the id itself: a glob there would never be found.
  for (const glob of [...unknown, ...Object.keys(override).filter((id) => !names.includes(id))]) {
    const near = closest(glob, names);
    findings.add(part, { code: 'UnknownSource', severity: 'error', message: `no source of this image is named "${glob}"`, hint: near === undefined ? `its sources are ${names.join(', ')}` : `did you mean "${near}"?` });
  }
}

function planSteps(build: DraftBuild, scope: Parameters<typeof renderSpec>[2], findings: Findings): readonly PlanStep[] {
  return build.steps.flatMap((draft): PlanStep[] => {
    const rendered = findings.guard(draft.construct, () => renderSpec(draft, build, scope));
    if (rendered === undefined) return [];
    for (const finding of checkSpec(draft.kind, rendered.spec)) findings.add(draft.construct, finding);
    const needs = [...new Set([...draft.after, ...rendered.needs])].sort();
    return [{
      id: draft.id, kind: draft.kind.kind, title: draft.title, role: draft.role, spec: rendered.spec, needs, lifetime: draft.lifetime, build: build.id,
      ...(draft.kind.noun === undefined ? {} : { noun: draft.kind.noun }), ...(draft.policy === undefined ? {} : { policy: draft.policy }), ...(draft.location === undefined ? {} : { source: draft.location }),
    }];
  });
}

/** @throws BakeError `SynthFailed` with all findings, if one of them is an error */
export function throwIfFailed(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  throw new BakeError({ code: 'SynthFailed', message: errors.length === 1 ? first.message : `${errors.length} errors in the app`, diagnostics });
}
