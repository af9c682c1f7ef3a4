/** A request that cannot be carried out, in words for whoever asked. Not a bug and not a broken daemon. */

export type RefusalKind = 'notFound' | 'invalid' | 'exists' | 'unavailable';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
