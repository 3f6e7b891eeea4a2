import { BakeError } from '../../core/bake-error.js';
import { Duration } from '../../core/duration.js';
import { Asset } from '../../image/asset.js';
import { checkProps } from '../../image/check-props.js';
import type { CompiledStep, PostProcessorScope } from '../../image/compile.js';
import { PostProcessor, type PostProcessorProps } from '../../image/post-processor.js';
import type { TextInput } from '../../image/ref.js';
import { verifyStep } from './steps.js';

/** What a text must look like: have this in it, or match this. */
export type Expected = string | RegExp;

/** A command in the machine. */
export interface CommandCheck {
  /** A command line for the machine's shell. */
  readonly command: TextInput;
  /** @default 0 */
  readonly exitCode?: number | readonly number[];
  /** @default - anything */
  readonly stdout?: Expected;
  /** @default - anything */
  readonly stderr?: Expected;
  /** Tried again until it is as expected or the time is over, when it is ended if it still runs. @default - once, for as long as it takes */
  readonly within?: Duration;
}

/** A script of this computer, run in the machine by the interpreter of its `#!` line. */
export interface ScriptCheck extends Omit<CommandCheck, 'command'> {
  /** Path, relative to the folder of `image.ts`. */
  readonly script: string;
}

/** A TCP port of the machine that somebody must listen on. */
export interface PortCheck {
  readonly port: number;
  /** @default Duration.minutes(1) */
  readonly within?: Duration;
}

/** A web page of the machine. */
export interface HttpCheck {
  readonly http: {
    readonly port: number;
    /** @default '/' */
    readonly path?: string;
    /** Redirects are not followed. @default 200 */
    readonly status?: number;
    /** @default - anything */
    readonly body?: Expected;
    /** Headers of the request, such as `host`. @default - none */
    readonly headers?: Readonly<Record<string, TextInput>>;
  };
  /** @default Duration.minutes(1) */
  readonly within?: Duration;
}

export type Check = CommandCheck | ScriptCheck | PortCheck | HttpCheck;

export interface VerifyProps extends PostProcessorProps {
  /** What must be so, tried in this order; all that fail are reported. */
  readonly checks: readonly Check[];
}

const minute = Duration.minutes(1);
const outcomeNames = { exitCode: true, stdout: true, stderr: true, within: true } as const;

/**
 * Starts the finished image as a throw-away machine and looks whether it does what it should: a disk boots on an overlay, an
 * image becomes a container with its own command, a root tree is unpacked. The artifact itself stays as it is, which is
 * proved by its checksums. Its artifact is its input.
 * @example
 * new Verify(this, 'Serves', { checks: [{ http: { port: 80, body: 'Welcome' } }, { command: 'nginx -t' }] });
 */
export class Verify extends PostProcessor<VerifyProps> {
  readonly propNames = { checks: true } as const;
  readonly keepsInputByDefault = true;

  /** @throws BakeError `InvalidProp`, `NoTrial` */
  compile({ checks }: VerifyProps, scope: PostProcessorScope): CompiledStep {
    if (!Array.isArray(checks) || checks.length === 0) throw invalid('"checks" has nothing in it', "write what must be so: checks: [{ command: 'nginx -t' }]");
    const specs = (checks as readonly Check[]).map((check, index) => this.#spec(check, index));
    const ports = specs.flatMap(({ port }) => (typeof port === 'number' ? [port] : []));
    const trial = scope.trial([...new Set(ports)]);
    if (trial.connection === undefined && specs.some(({ type }) => type === 'command' || type === 'script')) {
      throw new BakeError({ code: 'NoCommunicator', message: `${this.node.path} runs commands, and nobody can log in to this machine`, hint: 'check its ports instead: { port: 22 }, { http: { port: 80 } }' });
    }
    return {
      kind: verifyStep, title: `verify: ${specs.length === 1 ? '1 check' : `${specs.length} checks`}`,
      spec: { artifact: scope.artifact, connection: trial.connection, host: trial.host, ports: trial.ports, checks: specs },
    };
  }

  #spec(check: Check, index: number): { readonly type: string; readonly port?: unknown } & Record<string, unknown> {
    if (typeof check !== 'object' || check === null) throw invalid(`"checks[${index}]" is ${String(check)}`, "write { command: '…' }");
    if ('command' in check || 'script' in check) {
      const { exitCode = 0, stdout, stderr, within } = check;
      const outcome = { exitCodes: typeof exitCode === 'number' ? [exitCode] : exitCode, stdout: expected(stdout), stderr: expected(stderr), within };
      if ('command' in check) {
        checkProps(this, check, { command: true, ...outcomeNames });
        return { type: 'command', command: check.command, ...outcome };
      }
      checkProps(this, check, { script: true, ...outcomeNames });
      return { type: 'script', script: Asset.fromPath(check.script, 'file'), name: check.script, ...outcome };
    }
    if ('http' in check) {
      checkProps(this, check, { http: true, within: true });
      checkProps(this, check.http, { port: true, path: true, status: true, body: true, headers: true });
      const { port, path = '/', status = 200, body, headers } = check.http;
      return { type: 'http', port, path, status, body: expected(body), headers, within: check.within ?? minute };
    }
    if (!('port' in check)) throw invalid(`"checks[${index}]" checks nothing`, 'give it one of command, script, port, http');
    checkProps(this, check, { port: true, within: true });
    return { type: 'port', port: check.port, within: check.within ?? minute };
  }
}

function expected(value: Expected | undefined): { readonly contains: string } | { readonly pattern: string; readonly flags: string } | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? { contains: value } : { pattern: value.source, flags: value.flags.replaceAll(/[gy]/g, '') };
}

function invalid(message: string, hint: string): BakeError {
  return new BakeError({ code: 'InvalidProp', message, hint });
}
