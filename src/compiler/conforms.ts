/**
 * Whether a value is as a schema has it, yes or no: what zod is asked first of documents with very many rules. It looks only
 * at the keys that are there, and makes nothing new. Where it says no, zod says why; of schemas that it does not know it
 * always says no.
 */
import type * as z from 'zod';

type Test = (value: unknown) => boolean;

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const never: Test = () => false;

function record({ keyType, valueType }: Definition): Test {
  if (keyType?._zod.def.type !== 'string') return never;
  const [ofKey, ofValue] = [conforms(keyType), conforms(valueType!)];
  return (value) => isMap(value) && Object.keys(value).every((key) => ofKey(key) && ofValue(value[key]));
}

/** Its keys are looked at when they are first met: schemas may be made of themselves. */
function object({ shape, catchall }: Definition): Test {
  const tests = new Map<string, Test>();
  let required: readonly string[] | undefined;
  const strict = catchall?._zod.def.type === 'never';
  if (catchall !== undefined && !strict) return never;
  const testOf = (key: string): Test | undefined => {
    const known = tests.get(key);
    if (known !== undefined || !Object.hasOwn(shape!, key)) return known;
    const made = conforms(shape![key]!);
    tests.set(key, made);
    return made;
  };
  return (value) => {
    if (!isMap(value)) return false;
    required ??= Object.keys(shape!).filter((key) => !testOf(key)!(undefined));
    for (const key of required) if (!Object.hasOwn(value, key)) return false;
    for (const key of Object.keys(value)) if (!(testOf(key)?.(value[key]) ?? !strict)) return false;
    return true;
  };
}

function union({ options }: Definition): Test {
  const tests = options!.map((option) => conforms(option));
  return (value) => tests.some((test) => test(value));
}

/** By zod's word for the type; without the checks that come with it. */
const makers: Readonly<Record<string, (definition: Definition) => Test>> = {
  string: () => (value) => typeof value === 'string',
  number: () => (value) => Number.isFinite(value),
  boolean: () => (value) => typeof value === 'boolean',
  literal:
    ({ values }) =>
    (value) =>
      values!.includes(value),
  enum: ({ entries }) => {
    const words = new Set(Object.values(entries!));
    return (value) => words.has(value);
  },
  optional: ({ innerType }) => {
    const inside = conforms(innerType!);
    return (value) => value === undefined || inside(value);
  },
  array: ({ element }) => {
    const each = conforms(element!);
    return (value) => Array.isArray(value) && value.every(each);
  },
  object,
  record,
  union,
};

const made = new WeakMap<z.ZodType, Test>();

export function conforms(schema: z.ZodType): Test {
  const known = made.get(schema);
  if (known !== undefined) return known;
  // Asked for again while it is made: a schema within itself.
  let test: Test = never;
  made.set(schema, (value) => test(value));
  const definition = schema._zod.def as unknown as Definition;
  const type = makers[definition.type]?.(definition) ?? never;
  const checks = checksOf(schema);
  test = checks.length === 0 ? type : (value) => type(value) && checks.every((check) => check(value));
  made.set(schema, test);
  return test;
}

/** Ranges, patterns, and what a schema says in code. */
function checksOf(schema: z.ZodType): Test[] {
  const own = schema as unknown as z.core.$ZodCheck;
  const checks = [...(schema._zod.traits.has('$ZodCheck') ? [own] : []), ...(schema._zod.def.checks ?? [])];
  return checks.map((check) => (value) => {
    const payload: z.core.ParsePayload<never> = { value: value as never, issues: [] };
    // A promise is nobody's answer.
    return check._zod.check(payload) === undefined && payload.issues.length === 0;
  });
}
