/** Which of the instances that were asked before one is: documents are written anew, and what stands at ports stays. */
import type { ProgramCheck } from '../compiler/index.js';

/** Undefined: it is a new one. Of several that chains share the one of the same chain, hop and name goes before. */
export function sameInstance<Asked extends { readonly check: ProgramCheck }>(
  check: ProgramCheck,
  before: readonly Asked[],
): Asked | undefined {
  const there = before.filter(
    (one) => one.check.ingressPort === check.ingressPort && one.check.egressPort === check.egressPort,
  );
  const alike = ({ check: other }: Asked): number =>
    [other.document === check.document, other.hop === check.hop, other.instance === check.instance].filter(Boolean)
      .length;
  return there.toSorted((a, b) => alike(b) - alike(a))[0];
}
