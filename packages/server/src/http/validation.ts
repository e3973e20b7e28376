import type { FastifySchemaCompiler } from 'fastify';
import type { ValidateFunction } from 'ajv';
import { coercing, strict, thorough } from '../schema.ts';
import { UnfitInput } from './input.ts';

/** Compiles a route's schemas for Fastify. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  httpPart === 'body' ? strict.compile(schema) : finite(coercing.compile(schema));

/** The same for surfaces whose answers name every bad field. */
export const thoroughCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  httpPart === 'body' ? thorough.compile(schema) : finite(coercing.compile(schema));

/** Ajv makes Infinity of `1e400`, and then holds it against no bound. */
function finite(validate: ValidateFunction): (data: unknown) => boolean | { error: Error } {
  const checked = (data: unknown) => {
    if (!validate(data)) {
      checked.errors = validate.errors;
      return false;
    }
    for (const [name, value] of Object.entries(data as Record<string, unknown>))
      if (value === Infinity || value === -Infinity) return { error: new UnfitInput({ path: [name], message: 'must be a finite number' }) };
    return true;
  };
  checked.errors = validate.errors;
  return checked;
}
