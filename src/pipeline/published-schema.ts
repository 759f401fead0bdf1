import { z } from 'zod';
import { connectionsFile } from './connections-schema';
import { pipelineFile } from './pipeline-schema';
import { projectFile } from './project-schema';

/** A JSON Schema, as far as it is walked here and in the reference. */
export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
}

/** Draft 7: the newest that the YAML extensions of the common editors know in full. */
const publish = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as JsonSchema;

/** The schemas that editors complete and check pipeline files by, under their file names. */
export function publishedSchemas(): Readonly<Record<string, JsonSchema>> {
  return {
    'pipeline.schema.json': publish(pipelineFile),
    'connections.schema.json': publish(connectionsFile),
    'project.schema.json': publish(projectFile),
  };
}
