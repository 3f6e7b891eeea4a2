import { shellQuote } from '../../core/quote.js';
import type { PlatformHealth } from '../../toolkit/toolkit-api.js';
import { neutraliseLine } from '../terminal/neutralise.js';
import type { Style } from '../terminal/style.js';
import type { Symbols } from '../terminal/symbols.js';
import { pad, textWidth } from '../terminal/text-width.js';

/** What each platform needs, found or not, and the commands that install it. */
export function formatHealth(platforms: readonly PlatformHealth[], style: Style, symbols: Symbols): string {
  const blocks = platforms.map(({ platform, checks }) => {
    const isReady = checks.every((check) => check.ok || !check.required);
    const width = Math.max(0, ...checks.map((check) => textWidth(neutraliseLine(check.name))));
    const lines = checks.flatMap((check) => {
      const [sign, paint] = check.ok ? [symbols.done, style.green] as const : check.required ? [symbols.failed, style.red] as const : [symbols.skipped, style.yellow] as const;
      const optional = check.ok || check.required ? '' : style.dim(' (some features only)');
      const commands = check.ok ? [] : (check.install ?? []).map((command) => `      ${style.green(`${symbols.arrow} ${commandText(command)}`)}`);
      return [`  ${paint(sign)} ${pad(neutraliseLine(check.name), width)}  ${check.ok ? style.dim(neutraliseLine(check.detail)) : neutraliseLine(check.detail)}${optional}`, ...commands];
    });
    return [`${style.bold(neutraliseLine(platform))}  ${isReady ? style.green('ready') : style.red('not ready')}`, ...lines].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

/** An argument list as one would type it. */
export function commandText(command: readonly string[]): string {
  return neutraliseLine(command.map(shellQuote).join(' '));
}
