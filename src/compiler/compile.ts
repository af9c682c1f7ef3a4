/** Files → a program: read, validate, declare names, lower. What is wrong is gathered; nothing is thrown. */
import { atOnce, type Steps } from '../base/slices.js';
import { AclLowering } from './acl/lower.js';
import { At, say, seen } from './at.js';
import { Builder } from './builder.js';
import type { Diagnostics } from './diagnostic.js';
import { FlowSetLowering } from './flow-set/lower.js';
import type { PortResolver } from './ports.js';
import type { Program } from './program.js';
import { QosLowering } from './qos/lower.js';
import { documentSteps, type SourceDocument } from './read.js';
import { RouterLowering } from './router/lower.js';
import type { Kind } from './schema/index.js';
import { ServiceChainLowering } from './service-chain/lower.js';
import type { SourceFile } from './source.js';
import { validate } from './validate.js';

/** A document on its way: names are declared when it is made. */
interface Lowering {
  readonly name: string;
  readonly scope: { readonly names: { readonly table: Map<string, number> } };
  /** In steps, where there may be very many rules. */
  lower(): Steps<void> | void;
}

/** A document that is as its schema has it. */
export interface ReadDocument {
  readonly document: SourceDocument;
  readonly kind: Kind;
}

const lowerings: Readonly<Record<Kind, new (root: At, builder: Builder) => Lowering>> = {
  FlowSet: FlowSetLowering,
  Acl: AclLowering,
  Router: RouterLowering,
  Qos: QosLowering,
  ServiceChain: ServiceChainLowering,
};

/** What is wrong is said, and left out. */
export const readFiles = (files: readonly SourceFile[], diagnostics: Diagnostics): ReadDocument[] =>
  atOnce(readSteps(files, diagnostics));

/** The same in steps. */
export function* readSteps(files: readonly SourceFile[], diagnostics: Diagnostics): Steps<ReadDocument[]> {
  const documents: SourceDocument[] = [];
  for (const file of files) documents.push(...(yield* documentSteps(file, diagnostics)));
  const [first] = files;
  if (first !== undefined && documents.length === 0 && diagnostics.errors === 0) {
    const range = { start: 0, end: 1 };
    diagnostics.add({ severity: 'error', code: 'missing', message: 'there is no document', file: first, range });
  }
  const read: ReadDocument[] = [];
  for (const document of documents) {
    const kind = validate(document, diagnostics);
    if (kind !== undefined) read.push({ document, kind });
    yield;
  }
  return read;
}

export interface CompileOptions {
  /** The daemon's own agents run where the program is for; default: they do not, as on other switches. */
  readonly localAgents?: boolean;
}

/** A program is made even where there are errors, of what is right; it must not be used then. */
export const compile = (
  files: readonly SourceFile[],
  ports: PortResolver,
  diagnostics: Diagnostics,
  options: CompileOptions = {},
): Program => atOnce(compileDocuments(readFiles(files, diagnostics), ports, diagnostics, options));

/** The same of documents that were read before, in steps. */
export function* compileDocuments(
  read: readonly ReadDocument[],
  ports: PortResolver,
  diagnostics: Diagnostics,
  { localAgents = false }: CompileOptions = {},
): Steps<Program> {
  const builder = new Builder(ports, diagnostics, localAgents);
  const found = new Map<string, At>();
  const documents: Lowering[] = [];
  for (const { document, kind } of read) {
    const root = At.root(document);
    const name = root.key('metadata').key('name');
    const other = found.get(String(name.value));
    if (other !== undefined) {
      say(diagnostics, name, 'duplicate', `there are two documents ${JSON.stringify(name.value)}`, {
        related: [seen(other, 'the other one')],
      });
      continue;
    }
    found.set(String(name.value), name);
    documents.push(new lowerings[kind](root, builder));
  }
  // Tables of other documents are called document/table.
  for (const { scope } of documents) {
    for (const { document, name, id } of builder.tables) scope.names.table.set(`${document}/${name}`, id);
  }
  for (const document of documents) yield* document.lower() ?? [];
  return builder.program();
}
