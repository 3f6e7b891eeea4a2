import type { CommandContext } from '../command.js';
import { projectOf } from '../commands/app-options.js';
import { sourceReader } from './code-frame.js';
import { type Finding, formatFindings } from './finding-text.js';

/** Shows findings on standard error. */
export function showFindings(findings: readonly Finding[], { args, io, errStyle, symbols }: CommandContext): void {
  if (findings.length === 0) return;
  const roots = { project: projectOf(args, io.cwd), cwd: io.cwd, read: sourceReader() };
  io.stderr.write(formatFindings(findings, { roots, style: errStyle, symbols }));
}
