/** Whether a name matches a glob: `*` stands for any characters but `/`, `**` for any, `?` for one. */
export function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob.replace(/\*\*|\*|\?|[.+^${}()|[\]\\]/g, (part) => ({ '**': '.*', '*': '[^/]*', '?': '[^/]' })[part] ?? `\\${part}`);
  return new RegExp(`^${pattern}$`, 's').test(name);
}
