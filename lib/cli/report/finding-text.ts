import { BakeError } from '../../core/bake-error.js';
import type { SourceLocation } from '../../core/diagnostic.js';
import { neutralise, neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { codeFrame, formatLocation, type SourceRoots } from './code-frame.js';

/** What an error, a diagnostic and the report of a failed step have in common. */
export interface Finding {
  readonly code: string;
  readonly message: string;
  /** @default 'error' */
  readonly severity?: 'error' | 'warning' | 'info';
  readonly construct?: string | undefined;
  readonly location?: SourceLocation | undefined;
  readonly hint?: string | undefined;
  readonly output?: readonly string[];
}

export interface FindingLook {
  readonly roots: SourceRoots;
  readonly style: Style;
  readonly symbols: Symbols;
}

const wideFrame = 3;
const narrowFrame = 1;
/** With more findings than this, each one gets a small frame. */
const fewFindings = 3;

/** All findings, one below the other, and a line that counts them if there are several. Ends in a line end. */
export function formatFindings(findings: readonly Finding[], look: FindingLook): string {
  if (findings.length === 0) return '';
  const around = findings.length > fewFindings ? narrowFrame : wideFrame;
  const blocks = findings.map((finding) => formatFinding(finding, around, look));
  const count = findings.length > 1 ? [`${countText(findings)}\n`] : [];
  return [...blocks, ...count].join('\n');
}

/** `2 errors, 1 warning`. */
function countText(findings: readonly Finding[]): string {
  const count = (severity: Finding['severity'], word: string) => {
    const number = findings.filter((finding) => (finding.severity ?? 'error') === severity).length;
    return number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`];
  };
  return [...count('error', 'error'), ...count('warning', 'warning'), ...count('info', 'note')].join(', ');
}

function formatFinding(finding: Finding, around: number, { roots, style, symbols }: FindingLook): string {
  const { paint, sign } = {
    error: { paint: style.red, sign: symbols.failed },
    warning: { paint: style.yellow, sign: symbols.warned },
    info: { paint: style.blue, sign: symbols.started },
  }[finding.severity ?? 'error'];
  const [first = '', ...more] = neutralise(finding.message).split('\n');
  const lines = [`${paint(`${sign} ${style.bold(neutraliseLine(finding.code))}:`)} ${style.bold(first)}`, ...more.map((line) => `  ${line}`)];
  const place = [
    ...(finding.construct === undefined ? [] : [style.cyan(neutraliseLine(finding.construct))]),
    ...(finding.location === undefined ? [] : [style.underline(formatLocation(finding.location, roots))]),
  ];
  if (place.length > 0) lines.push(`  ${place.join('  ')}`);
  if (finding.location !== undefined) {
    const frame = codeFrame(finding.location, around, roots, style, symbols);
    if (frame.length > 0) lines.push('', ...frame.map((line) => `  ${line}`));
  }
  if (finding.output !== undefined && finding.output.length > 0) {
    lines.push('', `  ${style.dim('last output:')}`, ...finding.output.map((line) => `  ${style.dim(symbols.bar)} ${neutraliseLine(line)}`.trimEnd()));
  }
  if (finding.hint !== undefined && finding.hint !== '') {
    const [hint = '', ...rest] = neutralise(finding.hint).split('\n');
    if (lines.length > 2) lines.push('');
    lines.push(`  ${style.green(`${symbols.arrow} ${hint}`)}`, ...rest.map((line) => `    ${style.green(line)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The findings in an error, in the order of the user's lines: those it carries, or itself. */
export function findingsOf(error: BakeError): readonly Finding[] {
  if (error.diagnostics.length === 0) return [error];
  return [...error.diagnostics].sort(({ location: a }, { location: b }) => {
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1;
  });
}
