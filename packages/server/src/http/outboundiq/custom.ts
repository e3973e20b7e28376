import type { FastifyInstance } from 'fastify';
import type { Row, TranslationName } from '../../dials/translations.ts';
import type { Context } from '../context.ts';
import { Refusal } from './errors.ts';
import { ErrorBody, RESOURCES, resourceSchemas } from './schemas.ts';

/** The custom dialler integration: identifiers travel in the body, and in the query of a GET (contracts/outboundiq.md 3). */
export function customRoutes(app: FastifyInstance, { dials: { translations } }: Context): void {
  for (const [name, resource] of Object.entries(RESOURCES) as [TranslationName, (typeof RESOURCES)[TranslationName]][]) {
    const { key, object } = resource;
    const path = `/custom/${name}`;
    const { answer, byKey, change, create } = resourceSchemas(resource);
    const refusals = { 400: ErrorBody, 401: ErrorBody, 403: ErrorBody };
    const unknown = (id: string) => new Refusal(404, `There is no ${object} with the ${key} ${id}`);

    app.post<{ Body: Row }>(
      path,
      { schema: { summary: `Add one of the ${name}`, body: create, response: { 200: answer, ...refusals, 409: ErrorBody } } },
      async (request) => {
        const row = normalized(name, request.body);
        const result = await translations.add(name, request.caller.organizationId, row);
        if (result === 'exists') throw new Refusal(409, `The ${object} with the ${key} ${String(row[key])} exists already`);
        if (result === 'full') throw new Refusal(409, `The company has as many ${name} as it may`);
        return {
          success: true,
          message: `${object} created`,
          [object]: await translations.find(name, request.caller.organizationId, String(row[key])),
        };
      },
    );

    app.put<{ Body: Row }>(
      path,
      { schema: { summary: `Change one of the ${name}`, body: change, response: { 200: answer, ...refusals, 404: ErrorBody } } },
      async (request) => {
        const row = normalized(name, request.body);
        const changed = await translations.change(name, request.caller.organizationId, row);
        if (changed === null) throw unknown(String(row[key]));
        return { success: true, message: `${object} updated`, [object]: changed };
      },
    );

    app.get<{ Querystring: Row }>(
      path,
      { schema: { summary: `Retrieve one of the ${name}`, querystring: byKey, response: { 200: answer, ...refusals, 404: ErrorBody } } },
      async (request) => {
        const id = String(normalized(name, request.query)[key]);
        const found = await translations.find(name, request.caller.organizationId, id);
        if (found === null) throw unknown(id);
        return { success: true, [object]: found };
      },
    );

    app.delete<{ Body: Row }>(
      path,
      { schema: { summary: `Delete one of the ${name}`, body: byKey, response: { 200: answer, ...refusals, 404: ErrorBody } } },
      async (request) => {
        const id = String(normalized(name, request.body)[key]);
        if (!(await translations.remove(name, request.caller.organizationId, id))) throw unknown(id);
        return { success: true, message: `${object} deleted` };
      },
    );
  }
}

/** The formatting of a number is stripped, so that it is found however it is written. */
function normalized(name: TranslationName, row: Row): Row {
  if (name !== 'anis') return row;
  const number = String(row.number).replaceAll(/\D/g, '');
  if (number === '') throw new Refusal(400, 'number must hold digits');
  return { ...row, number };
}
