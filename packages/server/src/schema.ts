import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
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

/** One line that names the field and what is allowed: `events/0 must be string`. */
export function describeError(error: ErrorObject | undefined): { field: string; message: string } {
  if (error === undefined) return { field: '', message: 'the request is not valid' };
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  switch (error.keyword) {
    case 'required': {
      const missing = String(error.params.missingProperty);
      const field = path === '' ? missing : `${path}.${missing}`;
      return { field, message: `${field} is required` };
    }
    case 'additionalProperties':
      return { field: String(error.params.additionalProperty), message: `${String(error.params.additionalProperty)} is not a known field` };
    case 'enum':
      return { field: path, message: `${path} must be one of ${(error.params.allowedValues as unknown[]).join(', ')}` };
    default:
      return { field: path, message: `${path === '' ? 'the body' : path} ${error.message ?? 'is not valid'}` };
  }
}
