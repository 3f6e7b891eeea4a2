import * as z from 'zod';
import type { Connection } from '../core/communicator.js';
import { isJsonObject } from '../core/json.js';
import { late } from '../plan/late.js';

/** What a variable may be called, so that every shell can export it. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The schema of a machine's connection; which kinds there are is the communicators' business. */
export const connectionField = late(z.custom<Connection>((value) => isJsonObject(value) && typeof value['kind'] === 'string', 'must be a connection'));

export const environmentField = z.record(z.string().regex(variableName), late(z.string().refine((value) => !value.includes('\0'), 'a variable cannot hold a NUL'))).optional();
export const exitCodesField = z.array(z.int().min(0)).min(1).optional();
/** A `#!` line without its first two characters. */
export const shebangField = z.string().regex(/^[^#\s][^\n\r]*$/, 'give the interpreter without #!, such as /bin/bash -e').optional();
