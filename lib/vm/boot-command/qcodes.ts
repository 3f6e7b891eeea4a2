import type { BootKey, Keystroke } from './us-keyboard.js';

/** QEMU's name of each key, `QKeyCode` in the QMP reference (qemu.org, "QEMU QMP Reference Manual", Input). */
export const qcodes: Readonly<Record<BootKey, string>> = {
  a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', f: 'f', g: 'g', h: 'h', i: 'i', j: 'j', k: 'k', l: 'l', m: 'm',
  n: 'n', o: 'o', p: 'p', q: 'q', r: 'r', s: 's', t: 't', u: 'u', v: 'v', w: 'w', x: 'x', y: 'y', z: 'z',
  0: '0', 1: '1', 2: '2', 3: '3', 4: '4', 5: '5', 6: '6', 7: '7', 8: '8', 9: '9',
  grave: 'grave_accent', minus: 'minus', equal: 'equal', bracketLeft: 'bracket_left', bracketRight: 'bracket_right', backslash: 'backslash',
  semicolon: 'semicolon', apostrophe: 'apostrophe', comma: 'comma', period: 'dot', slash: 'slash', space: 'spc',
  enter: 'ret', escape: 'esc', tab: 'tab', backspace: 'backspace', delete: 'delete', insert: 'insert', home: 'home', end: 'end',
  pageUp: 'pgup', pageDown: 'pgdn', up: 'up', down: 'down', left: 'left', right: 'right',
  // QEMU's "menu" is another key, of multimedia keyboards; the one next to the right Ctrl is "compose" there.
  menu: 'compose',
  f1: 'f1', f2: 'f2', f3: 'f3', f4: 'f4', f5: 'f5', f6: 'f6', f7: 'f7', f8: 'f8', f9: 'f9', f10: 'f10', f11: 'f11', f12: 'f12',
  leftShift: 'shift', rightShift: 'shift_r', leftCtrl: 'ctrl', rightCtrl: 'ctrl_r', leftAlt: 'alt', rightAlt: 'alt_r', leftSuper: 'meta_l', rightSuper: 'meta_r',
};

/** The keys to hold together for a keystroke, in the order in which they go down; they come up in the opposite order. */
export function qcodesOf({ key, shift }: Keystroke): readonly string[] {
  return shift ? [qcodes.leftShift, qcodes[key]] : [qcodes[key]];
}
