/** One line of a checksum file. `plain`: as `sha256sum` writes it; `tagged`: with the algorithm in it, as `sha256sum --tag`. */
export function sumLine(format: 'plain' | 'tagged', algorithm: string, digest: string, name: string): string {
  // GNU coreutils: a name with one of these is escaped, and the line says so with a backslash in front.
  const escaped = name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const mark = escaped === name ? '' : '\\';
  return format === 'plain' ? `${mark}${digest}  ${escaped}\n` : `${mark}${algorithm.toUpperCase()} (${escaped}) = ${digest}\n`;
}
