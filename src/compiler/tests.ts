/** What stands at the end of documents of all kinds: their tests, and what was not used. */
import { type At, say } from './at.js';
import type { Builder } from './builder.js';
import { portLabel } from './ports.js';
import type { Scope } from './scope.js';

/** When all else of a document is lowered. */
export function finish(document: string, spec: At, scope: Scope, builder: Builder): void {
  for (const [index, at] of spec.key('tests').each().entries()) lowerTest(at, index, scope, builder);
  if (builder.allows(document, 'unused')) return;
  for (const unused of scope.unused()) {
    const message = `nothing uses the variable ${String(unused.path.at(-1))}`;
    say(builder.diagnostics, unused, 'unused', message, { severity: 'warning', range: unused.keyRange() });
  }
}

/** Its ports are looked up. */
function lowerTest(at: At, index: number, scope: Scope, builder: Builder): void {
  const { name = `test ${index + 1}`, expect } = at.value as { name?: string; expect: unknown };
  const [packet, expected] = [scope.text(at.key('packet')), at.key('expect')];
  const asAt = expected.key('as');
  const as = asAt.value === undefined ? undefined : scope.text(asAt);
  if (packet === undefined || (asAt.value !== undefined && as === undefined)) return;
  const wanted =
    expect === 'drop' || expected.key('output').value === undefined ? [] : scope.values(expected.key('output'));
  const outputs = wanted.flatMap((value) => {
    const number = scope.portNumber(value);
    return number === undefined
      ? []
      : [{ number, label: value.port === undefined ? value.text : portLabel(value.port) }];
  });
  const controller = expected.key('controller').value === true;
  builder.test({ at, name, packet, outputs, controller, as });
}
