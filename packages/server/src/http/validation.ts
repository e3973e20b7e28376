import type { ErrorObject } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import { coercing, strict, thorough } from '../schema.ts';

/** Compiles a route's schemas for Fastify. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? strict : coercing).compile(schema);

/** The same for surfaces whose answers name every bad field. */
export const thoroughCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? thorough : coercing).compile(schema);

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
