/** A type that is a `Value` at run time and something of its own for the compiler: `type Domid = Branded<number, 'Domid'>`. */
export type Branded<Value, Name extends string> = Value & { readonly __brand: Name };
