/** All documents of a bridge compiled together, for the ports that are there now. */
import type { Steps } from '../base/slices.js';
import {
  compileDocuments,
  Diagnostics,
  type DocumentText,
  type KnownPort,
  LatePorts,
  type Origin,
  type ReadDocument,
  readSteps,
  type Settled,
  settle,
  sourceOf,
} from '../compiler/index.js';
import type { Documents } from './change.js';

export interface Compiled extends Settled {
  readonly ports: LatePorts;
  readonly diagnostics: Diagnostics;
  /** Of which rule a flow is, by its cookie. */
  readonly origins: ReadonlyMap<bigint, Origin>;
}

export function* compileAll(documents: Documents, known: readonly KnownPort[]): Steps<Compiled> {
  const kept = [...documents.values()];
  return yield* compileTexts(
    kept,
    new LatePorts(
      known,
      kept.flatMap(({ portNames }) => portNames),
    ),
  );
}

export function* compileTexts(texts: readonly DocumentText[], ports: LatePorts): Steps<Compiled> {
  const diagnostics = new Diagnostics();
  const read: ReadDocument[] = [];
  for (const text of texts) {
    read.push(...(yield* readingOf(text, diagnostics)));
    yield;
  }
  const whole = yield* compileDocuments(read, ports, diagnostics, { localAgents: true });
  const origins = new Map(whole.flows.map(({ mod, origin }) => [mod.cookie, origin]));
  return { ...(yield* settle(whole, ports)), ports, diagnostics, origins };
}

/** Ports come and go, texts stay: they are read once. */
const readings = new WeakMap<DocumentText, readonly ReadDocument[]>();

function* readingOf(text: DocumentText, diagnostics: Diagnostics): Steps<readonly ReadDocument[]> {
  const known = readings.get(text);
  if (known !== undefined) return known;
  const before = diagnostics.errors;
  const read = yield* readSteps([sourceOf(text)], diagnostics);
  if (diagnostics.errors === before) readings.set(text, read);
  return read;
}

/** `text` was read, so that it need not be again. */
export const wasRead = (text: DocumentText, read: ReadDocument): unknown => readings.set(text, [read]);
