import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

const options = { allErrors: false, strict: true, strictTypes: false, allowUnionTypes: true } as const;
/** Bodies say what they mean: `"5"` is not 5. */
export const strict = new Ajv(options);
/** Query strings are text: `limit=5` is 5. */
export const coercing = new Ajv({ ...options, coerceTypes: true, useDefaults: true });
/** Bodies whose answer names every bad field at once. */
export const thorough = new Ajv({ ...options, allErrors: true });
for (const ajv of [strict, coercing, thorough]) {
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.addVocabulary(['example']);
}

/** A type guard for data from outside. */
export function compile<T>(schema: object): ValidateFunction<T> {
  return strict.compile<T>(schema);
}
