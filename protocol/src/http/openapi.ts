import * as z from 'zod/mini';
import { ERRORS, type ErrorCode } from '../errors.js';
import type { Json } from '../bytes/json.js';
import { Problem } from './problem.js';
import type { RouteSpec } from './route.js';

interface ApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description: string;
}

/** The route table as an OpenAPI 3.1 document. The table is the source; nothing is written by hand. */
export function openApiOf(routes: Readonly<Record<string, RouteSpec>>, info: ApiInfo): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of Object.values(routes)) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(route);
  }
  return plainJson({
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: {
        proof: {
          type: 'apiKey',
          in: 'header',
          name: 'Cloister-Proof',
          description: 'Compact JWS over method, URL, time and body digest (docs/protocol.md).'
        }
      }
    }
  });
}

function operationOf(route: RouteSpec): unknown {
  return {
    operationId: route.id,
    summary: route.summary,
    ...(route.auth === 'none' ? {} : { security: route.auth === 'optional' ? [{}, { proof: [] }] : [{ proof: [] }], 'x-cloister-signer': route.auth }),
    parameters: [...parametersOf('path', route.params), ...parametersOf('query', route.query), ...(route.headers ?? []).map(headerParameter)],
    ...requestBodyOf(route),
    responses: { [String(route.response.status)]: responseOf(route), ...problemsOf(route.errors) }
  };
}

const headerParameter = (name: string): unknown => ({ name, in: 'header', schema: { type: 'string' } });

function parametersOf(where: 'path' | 'query', schema: z.ZodMiniType | undefined): unknown[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property
  }));
}

function requestBodyOf(route: RouteSpec): object {
  switch (route.body.kind) {
    case 'none':
      return {};
    case 'json':
      return { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(route.body.schema) } } } };
    case 'bytes':
      return { requestBody: { required: true, content: { 'application/octet-stream': {} } } };
  }
}

function responseOf(route: RouteSpec): object {
  const { response } = route;
  switch (response.kind) {
    case 'empty':
      return { description: 'Done.' };
    case 'json':
      return { description: route.summary, content: { 'application/json': { schema: schemaOf(response.schema) } } };
    case 'bytes':
      return { description: route.summary, content: { 'application/octet-stream': {} } };
    case 'events':
      return { description: route.summary, content: { 'text/event-stream': { schema: schemaOf(response.schema) } } };
  }
}

function problemsOf(codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of codes) {
    const status = String(ERRORS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map(code => `\`${code}\`: ${ERRORS[code].title}`).join(' '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
      }
    ])
  );
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function schemaOf(schema: z.ZodMiniType): JsonSchema {
  return z.toJSONSchema(schema, { unrepresentable: 'any', target: 'draft-2020-12' });
}

function plainJson(value: unknown): Json {
  return z.json().parse(JSON.parse(JSON.stringify(value)));
}
