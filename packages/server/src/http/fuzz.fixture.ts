import fc from 'fast-check';

/** As much of JSON Schema as the description of the API has. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** Values by the name of a field or parameter that lead somewhere, such as the id of something that exists. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

/** JSON that a caller writes by hand: names twice, numbers that no double holds, and so on. */
class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const deep = (levels: number) => new RawJson('['.repeat(levels) + ']'.repeat(levels));

/** Texts that are trouble somewhere. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    '\0',
    'a\0b',
    '\ud800',
    'x\udfffy',
    '',
    ' ',
    '\n',
    '\r\n',
    '😀',
    '\ufeff',
    '%',
    '%00',
    '../../etc/passwd',
    "'; drop table users --",
  ),
  fc.constantFrom(
    'null',
    'NaN',
    '-0',
    '1e400',
    '9'.repeat(40),
    '2026-02-30T25:61:61Z',
    '9999-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '{}',
    '__proto__',
  ),
  fc.constantFrom(
    'x'.repeat(5_000),
    'ü'.repeat(300),
    'AAAA',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '00000000-0000-0000-0000-000000000000',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300, [], {}, [[]], { '\0': 1 }, { '\ud800': {} }),
  fc.constantFrom(
    new RawJson('1e400'),
    new RawJson('-1e400'),
    new RawJson('99999999999999999999999999'),
    new RawJson('{"a":1,"a":{"a":2}}'),
  ),
  fc.constantFrom(deep(50), deep(99), deep(101), deep(5_000)),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Text of a body, mostly what the schema wants with one thing wrong in it. */
export function bodies(schema: Schema, components: Readonly<Record<string, Schema>>, known: Known): fc.Arbitrary<string> {
  const right = valuesOf(schema, components, known);
  return fc.oneof(
    { weight: 3, arbitrary: right.map(toText) },
    {
      weight: 5,
      arbitrary: fc.tuple(right, fc.nat(), hostileValue).map(([value, place, hostile]) => toText(replaced(value, place, hostile))),
    },
    { weight: 1, arbitrary: hostileValue.map(toText) },
    { weight: 1, arbitrary: fc.constantFrom('', '{', '[1,', '{"a":1,"a":2}', '{"__proto__":{}}', '"\ud800"', '\u0000', 'ÿþ') },
  );
}

/** Values that fit a schema, as far as one can tell. */
export function valuesOf(schema: Schema, components: Readonly<Record<string, Schema>>, known: Known, name = ''): fc.Arbitrary<unknown> {
  const of = (inner: Schema, innerName = name) => valuesOf(inner, components, known, innerName);
  const right = fitting(schema, components, of);
  const leading = known[name];
  return leading === undefined ? right : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...leading) }, { weight: 1, arbitrary: right });
}

function fitting(
  schema: Schema,
  components: Readonly<Record<string, Schema>>,
  of: (schema: Schema, name?: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return of(components[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]!);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => of(one)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type ?? 'any') {
    case 'object': {
      const names = Object.keys(schema.properties ?? {});
      const record = fc.record(Object.fromEntries(names.map((name) => [name, of(schema.properties![name]!, name)])), {
        requiredKeys: [...(schema.required ?? [])] as never[],
      });
      return names.length > 0 ? record : fc.dictionary(fc.string({ maxLength: 10 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 });
    }
    case 'array':
      return fc.array(of(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems ?? 3, 3) });
    case 'integer':
      return fc.integer({ min: Math.max(schema.minimum ?? -1_000, -(2 ** 31)), max: Math.min(schema.maximum ?? 1_000, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return texts(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function texts({ format, maxLength = 30, minLength = 0, pattern }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' });
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }).map((date) => date.toISOString());
  if (format === 'uuid') return fc.uuid();
  if (format === 'email') return fc.emailAddress();
  return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 30)) });
}

/** A copy with another value at one place, counted through the whole. */
function replaced(value: unknown, place: number, by: unknown): unknown {
  const places = count(value);
  let left = place % places;
  const walk = (part: unknown): unknown => {
    if (left-- === 0) return by;
    if (part instanceof RawJson || typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(walk);
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, walk(inner)]));
  };
  return walk(value);
}

function count(value: unknown): number {
  if (value instanceof RawJson || typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + count(inner), 1);
}

function toText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(toText).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, inner]) => `${JSON.stringify(name)}:${toText(inner)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}
