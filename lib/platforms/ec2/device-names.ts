/** Where the root device of an image is that is put together of snapshots, unless that is told. */
export const defaultRootDevice = '/dev/xvda';

/** Ends the names of a device's steps: that of `/dev/sdf` is `-sdf`. */
export function suffixOf(deviceName: string): string {
  return `-${deviceName.replace(/^\/dev\//, '').replaceAll(/[^A-Za-z0-9_-]/g, '-')}`;
}

/** The names that are there more than once. */
export function twice(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((one, index) => names.indexOf(one) !== index))];
}
