import type { FastifySchemaCompiler } from 'fastify';
import { coercing, strict, thorough } from '../schema.ts';

/** Compiles a route's schemas for Fastify. */
export const validatorCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? strict : coercing).compile(schema);

/** The same for surfaces whose answers name every bad field. */
export const thoroughCompiler: FastifySchemaCompiler<object> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? thorough : coercing).compile(schema);
