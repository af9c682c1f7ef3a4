/** Tests of documents, with their ports looked up. */
import type { At } from './at.js';
import type { Builder } from './builder.js';
import { portLabel } from './ports.js';
import type { Scope } from './scope.js';

export function lowerTests(tests: At, scope: Scope, builder: Builder): void {
  for (const [index, at] of tests.each().entries()) lowerTest(at, index, scope, builder);
}

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
