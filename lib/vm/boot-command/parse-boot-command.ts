import type { BakeError } from '../../core/bake-error.js';
import { closest } from '../../core/closest.js';
import { bootCommandError, type BootCommandFault } from './boot-command-error.js';
import { keystrokes, specialKeys, type Keystroke } from './us-keyboard.js';
import { parseWait } from './parse-wait.js';

/** One thing to do at the keyboard. `press` is down and up; Shift goes down before and up after, where `shift` says so. */
export type BootAction =
  | ({ readonly type: 'key'; readonly action: 'press' | 'down' | 'up' } & Keystroke)
  | { readonly type: 'wait'; readonly milliseconds: number };

const specials = new Map(Object.entries(specialKeys).map(([name, key]) => [name.toLowerCase(), { key, shift: false } as const]));
const howToTypeIt = 'to type the character < itself in front of a word, write <<On><<Off>';

/**
 * Reads a boot command in the language of Packer. The items are joined, and then every character stands for its key, but for
 * - `<enter>`, `<f10>`, `<leftCtrl>` and the other names of `specialKeys`: that key;
 * - `<leftCtrlOn>`, `<leftCtrlOff>`: that key goes down, comes up; `<aOn>`, `<aOff>`: the same for a character's key;
 * - `<wait>`: one second; `<wait5>`: five; `<wait1m20s>`, `<wait500ms>`: a duration as Go writes them.
 *
 * Names are read without regard to case. A `<` that begins none of these is the character, as in `a < b` or `cat <<EOF`. What
 * looks like a name and is none (`<etner>`) is an error, where Packer would type it; `<<On><<Off>etner>` types it.
 * @remarks Errors: `UnknownBootKey`, `InvalidBootCommand`. They show the place.
 */
export function parseBootCommand(command: string | readonly string[]): readonly BootAction[] {
  return parseBootText(typeof command === 'string' ? [command] : command);
}

/** As `parseBootCommand`; errors show `shown` instead, whose items are as long as those that are read. */
export function parseBootText(items: readonly string[], shown: readonly string[] = items): readonly BootAction[] {
  const text = items.join('');
  const fail = (fault: BootCommandFault): BakeError => bootCommandError({ items: shown }, fault);
  const actions: BootAction[] = [];
  for (let at = 0; at < text.length;) {
    const { action, length } = tagAt(text, at, fail) ?? characterAt(text, at, fail);
    actions.push(action);
    at += length;
  }
  return actions;
}

interface Found {
  readonly action: BootAction;
  readonly length: number;
}
type Fail = (fault: BootCommandFault) => BakeError;

/** The tag that begins here, undefined if it is not one. */
function tagAt(text: string, at: number, fail: Fail): Found | undefined {
  if (text[at] !== '<') return undefined;
  const rest = text.slice(at);
  const wait = /^<wait([^<>]*)>/i.exec(rest);
  if (wait !== null) {
    return { length: wait[0].length, action: { type: 'wait', milliseconds: parseWait(wait[1]!, (message, hint) => fail({ code: 'InvalidBootCommand', message: `${wait[0]} ${message}`, hint, at, length: wait[0].length })) } };
  }
  const toggle = /^<(.)(on|off)>/isu.exec(rest);
  if (toggle !== null) {
    const keystroke = keystrokeOf(toggle[1]!, at + 1, fail);
    return { length: toggle[0].length, action: { type: 'key', ...keystroke, action: directionOf(toggle[2]!) } };
  }
  const named = /^<([a-z][a-z0-9]*)>/i.exec(rest);
  if (named !== null) return { length: named[0].length, action: specialAction(named[1]!, at, fail) };
  refuseUnclosed(rest, at, fail);
  return undefined;
}

function specialAction(name: string, at: number, fail: Fail): BootAction {
  const lower = name.toLowerCase();
  const pressed = specials.get(lower);
  if (pressed !== undefined) return { type: 'key', ...pressed, action: 'press' };
  const [, base = lower, direction = ''] = /^(.*?)(on|off)$/.exec(lower) ?? [];
  const toggled = specials.get(base);
  if (toggled !== undefined) return { type: 'key', ...toggled, action: directionOf(direction) };
  const near = closest(base, [...Object.keys(specialKeys), 'wait']);
  throw fail({
    code: 'UnknownBootKey', at, length: name.length + 2,
    message: `<${name}> is not a key`,
    hint: `${near === undefined ? `the keys are ${Object.keys(specialKeys).join(', ')}` : `did you mean <${near}${ending(name, direction)}>?`}; ${howToTypeIt}`,
  });
}

/** `<enter` at the end, or in front of the next tag: the bracket was forgotten, and nobody would type that. */
function refuseUnclosed(rest: string, at: number, fail: Fail): void {
  const [whole = '', name = ''] = /^<([a-z][a-z0-9]*)(?=<|$)/i.exec(rest) ?? [];
  const lower = name.toLowerCase();
  if (!specials.has(lower) && !specials.has(lower.replace(/(on|off)$/, '')) && !/^wait(\d.*)?$/.test(lower)) return;
  throw fail({ code: 'InvalidBootCommand', at, length: whole.length, message: `${whole} is not closed`, hint: `write ${whole}>; ${howToTypeIt}` });
}

function characterAt(text: string, at: number, fail: Fail): Found {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  return { length: character.length, action: { type: 'key', ...keystrokeOf(character, at, fail), action: 'press' } };
}

const instead: ReadonlyMap<string, string> = new Map([['\n', '<enter>'], ['\r', '<enter>'], ['\t', '<tab>'], ['\u001b', '<esc>'], ['\b', '<bs>'], ['\u007f', '<del>']]);

function keystrokeOf(character: string, at: number, fail: Fail): Keystroke {
  const found = keystrokes.get(character);
  if (found !== undefined) return found;
  const tag = instead.get(character);
  throw fail({
    code: 'InvalidBootCommand', at, length: character.length,
    message: `the character ${JSON.stringify(character)} (U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}) has no key on a US keyboard`,
    hint: tag === undefined ? 'a boot command can type printing ASCII characters; put anything else in a file that the guest fetches' : `write ${tag}`,
  });
}

function directionOf(text: string): 'down' | 'up' {
  return text.toLowerCase() === 'on' ? 'down' : 'up';
}

function ending(name: string, direction: string): string {
  return direction === '' ? '' : name.slice(-direction.length);
}
