/** Shapes that several kinds share. Descriptions go into the JSON Schemas, and so into editors. */
import * as z from 'zod';
import type { DiagnosticCode } from '../diagnostic.js';

export const API_VERSION = 'xvif.dev/v1alpha1';

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

export const name = z
  .string()
  .regex(NAME, 'is no name: up to 63 letters, digits, ".", "_" and "-", letters or digits at both ends')
  .describe('Up to 63 letters, digits, ".", "_" and "-".');

/** A table, group or meter: by its name, tables of other documents as document/table, or by number. */
export const nameOrNumber = z.union([z.string().min(1), z.int().min(0).max(0xffff_ffff)]);

/** Text or a whole number; 64-bit numbers are text, or numbers that the reader left as they were written. */
export const scalar = z.union([z.string(), z.int()]);

/** How a port is named. All forms mean the same: a number of OpenFlow, looked up when the file is compiled. */
export const portByWords = z
  .strictObject({
    vm: z.string().min(1).optional().describe("Name of a virtual machine (xl's or XAPI's)."),
    device: z.int().min(0).max(255).optional().describe('Device number of its interface; default 0.'),
    uuid: z.string().min(1).optional().describe('xs-vif-uuid of the interface.'),
    mac: z.string().min(1).optional().describe('MAC address of the interface.'),
    name: z.string().min(1).optional().describe('Name of the port, like xvif3i0 or uplink.'),
    number: z.int().min(0).max(0xffff_ffff).optional().describe('OpenFlow port number.'),
  })
  .superRefine((port, context) => {
    const ways = (['vm', 'uuid', 'mac', 'name', 'number'] as const).filter((key) => port[key] !== undefined);
    if (ways.length !== 1) {
      context.addIssue({
        code: 'custom',
        message: 'a port is named in exactly one way: vm, uuid, mac, name or number',
      });
    }
    if (port.device !== undefined && port.vm === undefined) {
      context.addIssue({ code: 'custom', path: ['device'], message: 'device goes with vm only' });
    }
  });
export type PortByWords = z.infer<typeof portByWords>;

export const port = z
  .union([z.string().min(1), z.int().min(0).max(0xffff_ffff), portByWords])
  .describe('A port: its name or number, "vm/device", xs-vif-uuid, MAC address, a reserved port, or a variable.');
export type PortValue = z.infer<typeof port>;

/** One or several. */
export const oneOrMore = <Schema extends z.ZodType>(schema: Schema, most = 4096) =>
  z.union([schema, z.array(schema).min(1).max(most)]);

/** Where packets go on when a document has done with them. */
export const next = z.union([z.enum(['normal', 'drop']), z.strictObject({ goto: nameOrNumber })]);

/** Key → value. */
export const labels = z.record(z.string(), z.string());

export const metadata = z
  .strictObject({
    name,
    owner: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Whose flows these are; default: the name. Plan, apply and prune look at the own ones only.'),
    ownerId: z
      .int()
      .min(1)
      .max(0xfffe)
      .optional()
      .describe('Number of the owner in cookies; default: made from its name. For two names that make the same.'),
    labels: labels.optional().describe("What a rule's remote_labels choose the members of an Acl by."),
    description: z.string().optional(),
  })
  .describe('What the document is called.');

/** The common part of every kind. */
export const header = { apiVersion: z.literal(API_VERSION), metadata } as const;

/** What a document may say is meant so. */
const allowable = [
  'shadowed',
  'overlap',
  'unreachable',
  'loop',
  'cuts-arp',
  'cuts-dhcp',
  'cuts-management',
  'unused',
  'health',
  'copies',
  'unsupported',
  'stateless',
  'icmp-errors',
] as const satisfies readonly DiagnosticCode[];

export const lint = z
  .strictObject({
    allow: z
      .array(z.union([z.enum(allowable), z.string()]))
      .optional()
      .describe('Warnings that are meant to be, by code, like cuts-arp.'),
  })
  .optional();
