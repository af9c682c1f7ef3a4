/** Files → a program: read, validate, declare names, lower. What is wrong is gathered; nothing is thrown. */
import { AclLowering } from './acl/lower.js';
import { At, say, seen } from './at.js';
import { Builder } from './builder.js';
import type { Diagnostics } from './diagnostic.js';
import { FlowSetLowering } from './flow-set/lower.js';
import type { PortResolver } from './ports.js';
import type { Program } from './program.js';
import { QosLowering } from './qos/lower.js';
import { readDocuments } from './read.js';
import { RouterLowering } from './router/lower.js';
import type { Kind } from './schema/index.js';
import { ServiceChainLowering } from './service-chain/lower.js';
import type { SourceFile } from './source.js';
import { validate } from './validate.js';

/** A document on its way: names are declared when it is made. */
interface Lowering {
  readonly name: string;
  readonly scope: { readonly names: { readonly table: Map<string, number> } };
  lower(): void;
}

const lowerings: Readonly<Record<Kind, new (root: At, builder: Builder) => Lowering>> = {
  FlowSet: FlowSetLowering,
  Acl: AclLowering,
  Router: RouterLowering,
  Qos: QosLowering,
  ServiceChain: ServiceChainLowering,
};

export interface CompileOptions {
  /** Somebody will ask instances of chains how they are, as xvifd does; default: yes. */
  readonly asksHealth?: boolean;
}

/** A program is made even where there are errors, of what is right; it must not be used then. */
export function compile(
  files: readonly SourceFile[],
  ports: PortResolver,
  diagnostics: Diagnostics,
  { asksHealth }: CompileOptions = {},
): Program {
  const builder = new Builder(ports, diagnostics, asksHealth);
  const found = new Map<string, At>();
  const documents: Lowering[] = [];
  for (const document of files.flatMap((file) => readDocuments(file, diagnostics))) {
    const kind = validate(document, diagnostics);
    if (kind === undefined) continue;
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
  for (const document of documents) document.lower();
  return builder.program();
}
