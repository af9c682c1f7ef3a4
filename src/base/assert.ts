/**
 * Assertions: for *our* bugs only. Nothing a guest, a controller, a file or the network can contain may reach one;
 * those are returned or thrown as errors with a name of their own.
 */

export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

/** Throws {@link AssertionFailed}; kept on in release. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message);
}

/** For the default branch of a switch over a union: the compiler objects when a case is missing. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unexpected value ${JSON.stringify(value)}`);
}
