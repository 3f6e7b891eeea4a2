import * as z from 'zod';
import type { Artifact } from '../../core/artifact.js';
import { late } from '../../plan/late.js';
import { isBase, isRepository, isTag, isTaggable, referenceHint, tagHint } from './reference.js';

/** Fields that several step kinds have. */
export const text = late(z.string());
export const path = late(z.string().min(1, 'must be a path').refine((value) => !value.includes('\0'), 'must be a path without a zero byte'));
export const image = z.string().refine(isBase, referenceHint);
export const taggable = z.string().refine(isTaggable, `${referenceHint}; without a digest`);
export const repository = z.string().refine(isRepository, `${referenceHint}; without a tag, which has a prop of its own`);
export const tag = z.string().refine(isTag, tagHint);
export const platform = late(z.string().regex(/^[a-z0-9]+(\/[a-z0-9]+){0,2}$/, 'must be a platform such as "linux/amd64" or "linux/arm64/v8"'));
export const labels = z.record(z.string().min(1), late(z.string()));
export const environment = z.record(z.string().regex(/^[^=\0]+$/, 'must be the name of a variable, without ='), late(z.string()));
export const auth = z.strictObject({ server: text.optional(), username: text, password: text });
export const artifact: z.ZodType<Artifact> = late(z.custom<Artifact>((value) => typeof (value as Artifact | null)?.type === 'string' && typeof (value as Artifact).id === 'string', 'must be an artifact, such as that of another image'));

/** What `docker commit --change` takes; https://docs.docker.com/reference/cli/docker/container/commit */
const instructions = ['CMD', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL', 'ONBUILD', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'] as const;
const isChange = (value: string) => new RegExp(`^\\s*(${instructions.join('|')})\\s+\\S`, 'i').test(value) && !/[\r\n]/.test(value.replaceAll(/\\\r?\n/g, ''));
const changeHint = `must be one Dockerfile instruction of ${instructions.join(', ')}, such as 'CMD ["nginx"]'`;

export const change = z.string().refine(isChange, changeHint);
/** The same for an import. */
export const importChange = change;
