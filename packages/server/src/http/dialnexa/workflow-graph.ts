import Type, { type Static } from 'typebox';
import type { FastifyInstance } from 'fastify';
import { internalId } from '../../calls/ids.ts';
import { toEdge, toNode } from '../../calls/resources.ts';
import type { Context } from '../context.ts';
import { Refusal } from './errors.ts';
import { Deleted, ErrorBody } from './schemas.ts';
import { CreateEdge, CreateNode, EdgeBody, EdgeList, NodeBody, NodeList, UpdateNode } from './workflow-schemas.ts';

type Params = { readonly id: string };
type NodeParams = Params & { readonly node_id: string };
type EdgeParams = Params & { readonly edge_id: string };

/** Nodes and edges of workflows (contracts/dialnexa.md 5). */
export function workflowGraphRoutes(app: FastifyInstance, { telephony: { workflows } }: Context): void {
  const params = Type.Object({ id: Type.String() });
  const nodeParams = Type.Object({ id: Type.String(), node_id: Type.String() });
  const edgeParams = Type.Object({ id: Type.String(), edge_id: Type.String() });
  const refusals = { 401: ErrorBody, 404: ErrorBody, 429: ErrorBody };
  const editing = { 400: ErrorBody, 409: ErrorBody, ...refusals };
  const idOf = ({ id }: Params) => internalId('wf', id);

  app.post<{ Params: Params; Body: Static<typeof CreateNode> }>(
    '/workflows/:id/nodes',
    { schema: { summary: 'Add a node', params, body: CreateNode, response: { 201: NodeBody, ...editing } } },
    async (request, reply) => {
      const { config = {}, label, node_type: type, position_x: positionX = 0, position_y: positionY = 0 } = request.body;
      const node = await workflows.addNode(request.caller.organizationId, idOf(request.params), {
        type,
        label,
        positionX,
        positionY,
        config,
      });
      return reply.code(201).send(toNode(idOf(request.params)!, node));
    },
  );

  app.get<{ Params: Params }>(
    '/workflows/:id/nodes',
    { schema: { summary: 'List nodes', params, response: { 200: NodeList, ...refusals } } },
    async (request) => {
      const { nodes } = await workflows.graph(request.caller.organizationId, idOf(request.params));
      return { data: [...nodes.values()].map((node) => toNode(idOf(request.params)!, node)) };
    },
  );

  app.patch<{ Params: NodeParams; Body: Static<typeof UpdateNode> }>(
    '/workflows/:id/nodes/:node_id',
    { schema: { summary: 'Change a node; its type stays', params: nodeParams, body: UpdateNode, response: { 200: NodeBody, ...editing } } },
    async (request) => {
      const { config, label, node_type: type, position_x: positionX, position_y: positionY } = request.body;
      if (type !== undefined) throw new Refusal(400, ['node_type cannot be changed']);
      const change = {
        ...(config !== undefined && { config }),
        ...(label !== undefined && { label }),
        ...(positionX !== undefined && { positionX }),
        ...(positionY !== undefined && { positionY }),
      };
      const nodeId = internalId('node', request.params.node_id);
      const node = await workflows.changeNode(request.caller.organizationId, idOf(request.params), nodeId, change);
      return toNode(idOf(request.params)!, node);
    },
  );

  app.delete<{ Params: NodeParams }>(
    '/workflows/:id/nodes/:node_id',
    {
      schema: {
        summary: 'Delete a node and its edges; leads that wait there are stranded',
        params: nodeParams,
        response: { 200: Deleted, 409: ErrorBody, ...refusals },
      },
    },
    async (request) => {
      await workflows.deleteNode(request.caller.organizationId, idOf(request.params), internalId('node', request.params.node_id));
      return { message: 'Node deleted.' };
    },
  );

  app.post<{ Params: Params; Body: Static<typeof CreateEdge> }>(
    '/workflows/:id/edges',
    {
      schema: {
        summary: 'Add an edge; edges are tried in the order of their creation',
        params,
        body: CreateEdge,
        response: { 201: EdgeBody, ...editing },
      },
    },
    async (request, reply) => {
      const { from_node_id: from, label = null, to_node_id: to } = request.body;
      const ends = { from: internalId('node', from), to: internalId('node', to), label };
      const edge = await workflows.addEdge(request.caller.organizationId, idOf(request.params), ends);
      return reply.code(201).send(toEdge(idOf(request.params)!, edge));
    },
  );

  app.get<{ Params: Params }>(
    '/workflows/:id/edges',
    { schema: { summary: 'List edges', params, response: { 200: EdgeList, ...refusals } } },
    async (request) => {
      const { edges } = await workflows.graph(request.caller.organizationId, idOf(request.params));
      return { data: edges.map((edge) => toEdge(idOf(request.params)!, edge)) };
    },
  );

  app.delete<{ Params: EdgeParams }>(
    '/workflows/:id/edges/:edge_id',
    { schema: { summary: 'Delete an edge', params: edgeParams, response: { 200: Deleted, 409: ErrorBody, ...refusals } } },
    async (request) => {
      await workflows.deleteEdge(request.caller.organizationId, idOf(request.params), internalId('edge', request.params.edge_id));
      return { message: 'Edge deleted.' };
    },
  );
}
