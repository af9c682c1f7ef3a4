/** The kinds of documents. From these come validation, types and the JSON Schemas of flows/schema/. */
import * as z from 'zod';
import { acl } from './acl.js';
import { flowSet } from './flow-set.js';
import { qos } from './qos.js';
import { router } from './router.js';
import { serviceChain } from './service-chain.js';

export { API_VERSION } from './common.js';

export const kinds = { FlowSet: flowSet, Acl: acl, Router: router, Qos: qos, ServiceChain: serviceChain } as const;
export type Kind = keyof typeof kinds;

/** JSON Schema (2020-12) of a kind, for editors. */
export function jsonSchema(kind: Kind): object {
  return { title: kind, ...z.toJSONSchema(kinds[kind], { io: 'input', reused: 'ref' }) };
}

/** File name of a kind's schema. */
export const schemaFile = (kind: Kind): string => `${kind.toLowerCase()}.schema.json`;
