/** All documents of a bridge compiled together, for the ports that are there now. */
import {
  compile,
  Diagnostics,
  type KnownPort,
  LatePorts,
  type Origin,
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

export function compileAll(documents: Documents, known: readonly KnownPort[]): Compiled {
  const kept = [...documents.values()];
  return compileTexts(
    kept,
    new LatePorts(
      known,
      kept.flatMap(({ portNames }) => portNames),
    ),
  );
}

export function compileTexts(texts: readonly Parameters<typeof sourceOf>[0][], ports: LatePorts): Compiled {
  const diagnostics = new Diagnostics();
  const whole = compile(texts.map(sourceOf), ports, diagnostics);
  const origins = new Map(whole.flows.map(({ mod, origin }) => [mod.cookie, origin]));
  return { ...settle(whole, ports), ports, diagnostics, origins };
}
