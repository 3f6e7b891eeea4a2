import { BakeError } from '../core/bake-error.js';
import { closest } from '../core/closest.js';

/**
 * Fills in the `{{.Name}}` places of a command; nothing else in it has a meaning.
 * @throws BakeError `UnknownTemplateName` for a name that is not in `values`
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, inside: string) => {
    const name = inside.replace(/^\./, '');
    const value = inside.startsWith('.') && Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined) return value;
    const names = Object.keys(values);
    const near = closest(name, names);
    throw new BakeError({
      code: 'UnknownTemplateName',
      message: `"{{${inside}}}" in executeCommand stands for nothing`,
      hint: near === undefined ? `it may have ${names.map((known) => `{{.${known}}}`).join(', ')}` : `did you mean {{.${near}}}?`,
    });
  });
}
