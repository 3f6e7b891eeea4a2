/** The keys of a US keyboard that a boot command can name or that a character needs, by what is printed on them. */
export const bootKeys = [
  'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
  '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
  'grave', 'minus', 'equal', 'bracketLeft', 'bracketRight', 'backslash', 'semicolon', 'apostrophe', 'comma', 'period', 'slash', 'space',
  'enter', 'escape', 'tab', 'backspace', 'delete', 'insert', 'home', 'end', 'pageUp', 'pageDown', 'up', 'down', 'left', 'right', 'menu',
  'f1', 'f2', 'f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'f10', 'f11', 'f12',
  'leftShift', 'rightShift', 'leftCtrl', 'rightCtrl', 'leftAlt', 'rightAlt', 'leftSuper', 'rightSuper',
] as const;

/** One physical key, whatever the guest takes it for. */
export type BootKey = (typeof bootKeys)[number];

/** A key, and whether Shift has to be held for what is meant. */
export interface Keystroke {
  readonly key: BootKey;
  readonly shift: boolean;
}

/** The printing keys other than letters: what they give without and with Shift. */
const printing = [
  ['grave', '`', '~'], ['1', '1', '!'], ['2', '2', '@'], ['3', '3', '#'], ['4', '4', '$'], ['5', '5', '%'], ['6', '6', '^'], ['7', '7', '&'],
  ['8', '8', '*'], ['9', '9', '('], ['0', '0', ')'], ['minus', '-', '_'], ['equal', '=', '+'], ['bracketLeft', '[', '{'], ['bracketRight', ']', '}'],
  ['backslash', '\\', '|'], ['semicolon', ';', ':'], ['apostrophe', "'", '"'], ['comma', ',', '<'], ['period', '.', '>'], ['slash', '/', '?'],
] as const satisfies readonly (readonly [BootKey, string, string])[];

const letters = bootKeys.filter((key) => /^[a-z]$/.test(key));

/** How each character is typed on a US keyboard: printing ASCII and the space. */
export const keystrokes: ReadonlyMap<string, Keystroke> = new Map<string, Keystroke>([
  [' ', { key: 'space', shift: false }],
  ...letters.flatMap((key): [string, Keystroke][] => [[key, { key, shift: false }], [key.toUpperCase(), { key, shift: true }]]),
  ...printing.flatMap(([key, plain, shifted]): [string, Keystroke][] => [[plain, { key, shift: false }], [shifted, { key, shift: true }]]),
]);

/**
 * The names between angle brackets. They are Packer's; Command and Option are where Apple's keyboards have them, which is
 * what a guest sees: the Super key and Alt.
 */
export const specialKeys = {
  bs: 'backspace', del: 'delete', enter: 'enter', return: 'enter', esc: 'escape', tab: 'tab', spacebar: 'space', insert: 'insert', home: 'home', end: 'end',
  pageUp: 'pageUp', pageDown: 'pageDown', up: 'up', down: 'down', left: 'left', right: 'right', menu: 'menu',
  f1: 'f1', f2: 'f2', f3: 'f3', f4: 'f4', f5: 'f5', f6: 'f6', f7: 'f7', f8: 'f8', f9: 'f9', f10: 'f10', f11: 'f11', f12: 'f12',
  leftAlt: 'leftAlt', rightAlt: 'rightAlt', leftCtrl: 'leftCtrl', rightCtrl: 'rightCtrl', leftShift: 'leftShift', rightShift: 'rightShift',
  leftSuper: 'leftSuper', rightSuper: 'rightSuper', leftCommand: 'leftSuper', rightCommand: 'rightSuper', leftOption: 'leftAlt', rightOption: 'rightAlt',
} as const satisfies Readonly<Record<string, BootKey>>;
