/** TypeScript types of the panel's API, made from the description of the server: the panel knows nothing else of it. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly patternProperties?: Record<string, Schema>;
  readonly additionalProperties?: boolean | Schema;
}
interface Media {
  readonly content?: Record<string, { readonly schema: Schema }>;
}
interface Operation {
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: Schema }[];
  readonly requestBody?: Media;
  readonly responses: Record<string, Media>;
}
export interface Description {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

export function panelClient({ components, paths }: Description): string {
  const used = new Set<string>();
  const routes: string[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    if (!path.startsWith('/panel/')) continue;
    for (const [method, operation] of Object.entries(operations)) routes.push(route(method, path, operation, used));
  }
  // A shared schema may refer to others.
  const shared: string[] = [];
  const done = new Set<string>();
  while (done.size < used.size) {
    for (const name of used) {
      if (done.has(name)) continue;
      done.add(name);
      shared.push(`export type ${name} = ${type(components.schemas[name]!, used, '')};`);
    }
  }
  return `// Made by \`npm run generate\` from openapi.json: change the server's schemas instead.\n\n${shared.sort().join('\n\n')}\n\n/** Every route of the panel's API. */\nexport interface Api {\n${routes.join('\n')}\n}\n`;
}

function route(method: string, path: string, operation: Operation, used: Set<string>): string {
  const parameters = (where: string) =>
    operation.parameters
      .filter((parameter) => parameter.in === where)
      .map(({ name, required, schema }) => `${name}${required ? '' : '?'}: ${type(schema, used, '    ')}`);
  const body = operation.requestBody?.content?.['application/json'];
  const isForm = operation.requestBody?.content?.['multipart/form-data'] !== undefined;
  const [, success] = Object.entries(operation.responses).find(([status]) => Number(status) < 300) ?? [];
  const answer = success?.content?.['application/json'];
  return `  /** ${operation.summary} */
  '${method.toUpperCase()} ${path}': {
    params: { ${parameters('path').join('; ')} };
    query: { ${parameters('query').join('; ')} };
    body: ${isForm ? 'FormData' : body ? type(body.schema, used, '    ') : 'undefined'};
    answer: ${answer ? type(answer.schema, used, '    ') : 'undefined'};
  };`;
}

function type(schema: Schema, used: Set<string>, indent: string): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    used.add(name);
    return name;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => type(one, used, indent)).join(' | ');
  switch (schema.type ?? '') {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array': {
      const item = type(schema.items ?? {}, used, indent);
      return /[|]/.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`;
    }
    case 'object':
      return object(schema, used, indent);
    default:
      return 'unknown';
  }
}

function object(schema: Schema, used: Set<string>, indent: string): string {
  const [values] = Object.values(schema.patternProperties ?? {});
  if (values !== undefined) return `Record<string, ${type(values, used, indent)}>`;
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return 'Record<string, unknown>';
  const inner = `${indent}  `;
  const lines = properties.map(([name, one]) => {
    const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
    return `${inner}${key}${schema.required?.includes(name) ? '' : '?'}: ${type(one, used, inner)};`;
  });
  return `{\n${lines.join('\n')}\n${indent}}`;
}
