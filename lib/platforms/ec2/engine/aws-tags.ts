import type { Filter, Tag } from '@aws-sdk/client-ec2';
import type { Filters, Tags } from './ec2-port.js';

/** As EC2 wants them. */
export function tagsOf(tags: Tags): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** As EC2 gives them. */
export function tagsFrom(tags: readonly Tag[] = []): Tags {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** What has one of the values for each name. */
export function filtersOf(filters: Filters): Filter[] {
  return Object.entries(filters).map(([Name, values]) => ({ Name, Values: [...values] }));
}

/** What has these tags; `*` means any value. */
export function tagFilters(tags: Tags): Filter[] {
  return Object.entries(tags).map(([key, value]) => (value === '*' ? { Name: 'tag-key', Values: [key] } : { Name: `tag:${key}`, Values: [value] }));
}
