/** What user-data begins with, by cloud-init's "User-data formats"; it passes over anything else without an error. */
const heads = ['#cloud-config', '#!', '#include', '#cloud-boothook', '#part-handler', '## template: jinja'];

export const userDataHeadHint = 'must begin with a line that says what it is, such as "#cloud-config" or "#!/bin/sh"; cloud-init would not read it';

/** Whether cloud-init would know what this user-data is. */
export function hasUserDataHead(text: string): boolean {
  const start = text.trimStart().toLowerCase();
  return heads.some((head) => start.startsWith(head)) || isMime(text);
}

/** As cloud-init finds out. */
export function isMime(text: string): boolean {
  return /mime-version:/i.test(text.slice(0, 4096));
}
