/** Ports from a file or the command line, for what is done without a switch. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { At } from './at.js';
import type { Diagnostics } from './diagnostic.js';
import { type KnownPort, MAC, wordsOf } from './ports.js';
import { readDocuments } from './read.js';
import type { SourceFile } from './source.js';
import { fits } from './validate.js';

const portFile = z.strictObject({
  ports: z.array(
    z.strictObject({
      number: z.int().min(1).max(0xffff_ffff),
      name: z.string().min(1).optional(),
      vm: z.string().min(1).optional(),
      device: z.int().min(0).max(255).optional(),
      uuid: z.string().min(1).optional(),
      mac: z.string().regex(MAC, 'is no MAC address').optional(),
      addresses: z.array(z.string().refine((text) => isIP(text) !== 0, 'an IP address must stand here')).optional(),
    }),
  ),
});

/** `ports: [{number: 1, vm: web01, device: 0, mac: …, addresses: […]}]` */
export function readPortFile(file: SourceFile, diagnostics: Diagnostics): KnownPort[] {
  const documents = readDocuments(file, diagnostics);
  return documents.flatMap((document) => {
    const root = At.root(document);
    return fits(root, portFile, diagnostics) ? (root.value as z.infer<typeof portFile>).ports : [];
  });
}

/** `web01/0=3`; undefined where it is not that. */
export function portOption(text: string): KnownPort | undefined {
  const [, name, number] = /^(.+)=(\d{1,10})$/.exec(text) ?? [];
  if (name === undefined || Number(number) > 0xffff_ffff || Number(number) < 1) return undefined;
  const { vm, device, uuid, mac, name: called } = wordsOf(name);
  // A name alone may be a port's, or a VM's with one interface.
  return { number: Number(number), vm: vm ?? called, device, uuid, mac, name: called };
}
