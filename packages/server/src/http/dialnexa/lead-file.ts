import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifySchema } from 'fastify';
import type { Caller } from '../../accounts/model.ts';
import { CALL_LIMITS } from '../../calls/limits.ts';
import type { NewLead } from '../../calls/model.ts';
import type { Context } from '../context.ts';
import { receiveFile } from '../multipart.ts';
import { watchUpload } from '../watched-upload.ts';
import { Refusal } from './errors.ts';

export interface LeadFileRoute {
  /** With a parameter `id`: what the leads are added to. */
  readonly path: string;
  readonly schema: FastifySchema;
  /** Whether a column `name` is the lead's name. */
  readonly hasNames: boolean;
  readonly add: (caller: Caller, id: string, leads: readonly NewLead[], skipped: number) => Promise<object>;
}

const LIMIT = { bytes: CALL_LIMITS.leadFileBytes, refusal: 'file may have at most 10 MB' };

/** A route that takes a file of leads, in a scope of its own: here the body stays a stream. */
export function leadFileRoute(
  app: FastifyInstance,
  { clock, leadFiles }: Pick<Context, 'clock' | 'leadFiles'>,
  { add, hasNames, path, schema }: LeadFileRoute,
): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload));
    scope.post<{ Params: { readonly id: string }; Body: Readable | undefined }>(
      path,
      { bodyLimit: Number.MAX_SAFE_INTEGER, schema }, // bounded while streaming
      async (request, reply) => {
        const { body, headers } = request;
        if (body === undefined) throw new Refusal(415, 'Content-Type must be multipart/form-data');
        const { leads, skipped } = await leadFiles.read(
          request.caller.organizationId,
          (to) => receiveFile(watchUpload(body, clock), headers, to, LIMIT),
          { hasNames },
        );
        return reply.code(201).send(await add(request.caller, request.params.id, leads, skipped));
      },
    );
  });
}
