/**
 * A service as the gateway sees it: names and schemas read from the SDK client package, Slipway's operations, and what
 * the package does not say (constraints, how it words a validation error).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { NormalizedSchema } from "@smithy/core/schema";
import type { StaticErrorSchema, StaticOperationSchema, StaticStructureSchema } from "@smithy/types";
import type { Database } from "#store/database.ts";
import type { Migration } from "#store/migrate.ts";
import type { Call, System } from "./context.ts";
import type { Operation, OperationTable } from "./operation.ts";
import type { PageTokens } from "./page-token.ts";
import type { Limits, Violation } from "./validate.ts";

export type ResourceTags = Readonly<Record<string, string>>;

export type ProtocolName = "awsJson1_0" | "awsJson1_1" | "awsQuery" | "restJson1" | "restXml";

/** An operation of the model, built or not. */
export interface OperationModel {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  readonly http: readonly [method: string, uri: string, status: number] | undefined;
  /** undefined: not built yet, or the service is not loaded yet. */
  operation: Operation<never, unknown> | undefined;
}

/** HTTP that is not AWS's wire protocol: the OCI registry, git, badges, webhooks, a load balancer's traffic. */
export interface DataPlane {
  /** The first data plane that answers true gets the request. `host` is lower case without port. */
  matches(request: { method: string; host: string; path: string }): boolean;
  handle(request: IncomingMessage, response: ServerResponse, system: System): Promise<void> | void;
  /** Starts what the data plane needs beside requests (health checks), and stops it again. */
  start?(system: System): Promise<void>;
  stop?(): Promise<void>;
}

/** Which modelled error a violated constraint is, and its words; AWS differs by service. */
export interface ValidationError {
  readonly code: string | ((violations: readonly Violation[]) => string);
  message?(violations: readonly Violation[]): string;
  /** Further members of the error: Organizations gives a reason. */
  members?(violations: readonly Violation[]): Readonly<Record<string, unknown>>;
}

export interface ServiceDefinition<M extends object> {
  /** "codebuild": the folder's name. */
  readonly name: string;
  readonly sdk: M;
  readonly Client: new (configuration: never) => { config: unknown };
  /** Or what loads them: a Slipway starts without the handlers of services that nobody asks. */
  readonly operations: OperationTable<M> | (() => Promise<OperationTable<M>>);
  readonly limits: Limits;
  readonly validation: ValidationError;
  readonly migrations: readonly Migration[];
  /** Where the tokens of its lists are to be sealed. */
  readonly pageTokens?: PageTokens;
  readonly dataPlanes?: readonly DataPlane[];
  /** `aws:ResourceTag/…` of the service's resources. Read only where a policy asks. */
  resourceTags?(arn: string, call: Call): Promise<ResourceTags | undefined>;
  /**
   * Rewrites the resource-based policies of the service that have the text in them, whosever they are: a policy is replaced by
   * what `rewrite` makes of its document. In the caller's transaction.
   */
  rewritePolicies?(trx: Database, text: string, rewrite: (document: string) => string): Promise<void>;
  /** Registers the service's work with `system.work`; called once before the first request is served. */
  registerWork?(system: System): void | Promise<void>;
  /** Where a second service shares the package's model (codeconnections): what differs. */
  readonly rename?: { readonly signingName: string; readonly target: string; readonly endpointPrefix: string };
}

export interface Service {
  readonly name: string;
  /** "CodeBuild": the SDK's service id. */
  readonly id: string;
  readonly signingName: string;
  readonly endpointPrefix: string;
  readonly protocol: ProtocolName;
  /** X-Amz-Target before the dot, without a package; undefined for protocols without one. */
  readonly target: string | undefined;
  readonly version: string;
  readonly xmlNamespace: string;
  /** "com.amazonaws.codebuild": what commands name. */
  readonly namespace: string;
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Loads the handlers of the operations; undefined once they are there. To be awaited before any of them is looked at. */
  load(): Promise<void> | undefined;
  readonly errors: ReadonlyMap<string, StaticErrorSchema>;
  readonly limits: Limits;
  readonly validation: ValidationError;
  readonly migrations: readonly Migration[];
  readonly pageTokens: PageTokens | undefined;
  readonly dataPlanes: readonly DataPlane[];
  resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined>;
  readonly rewritePolicies: ServiceDefinition<object>["rewritePolicies"];
  registerWork(system: System): void | Promise<void>;
}

/** Smithy's static schemas are tuples led by these numbers. */
const OPERATION = 9;
const ERROR = -3;

interface ClientConfig {
  serviceId: string;
  signingName?: string;
  defaultSigningName?: string;
  protocol: { getShapeId(): string };
  protocolSettings: {
    version: string;
    serviceTarget?: string;
    xmlNamespace?: string;
    defaultNamespace: string;
  };
}

export function defineService<M extends object>(definition: ServiceDefinition<M>): Service {
  const { config } = new definition.Client({
    region: "us-east-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
  } as never) as { config: ClientConfig };
  const settings = config.protocolSettings;
  // Thousands of names a package: read with the service's first request, like its handlers.
  let schemas: Schemas | undefined;
  const readSchemas = () => {
    schemas ??= schemasOf(definition.sdk);
    return schemas;
  };
  let isLoaded = false;
  let loading: Promise<void> | undefined;
  const load = async () => {
    const { operations: given } = definition;
    const table = typeof given === "function" ? await given() : given;
    const { operations } = readSchemas();
    for (const [name, operation] of Object.entries(table as Record<string, Operation<never, unknown> | undefined>)) {
      const model = operations.get(name);
      if (!model) throw new Error(`${definition.name}: ${name} is in the operation table but not in the SDK's model`);
      if (!operation) throw new Error(`${definition.name}: ${name} is in the operation table without a handler`);
      model.operation = operation;
    }
    isLoaded = true;
  };
  const protocol = config.protocol.getShapeId().split("#")[1] as ProtocolName;
  const signingName = config.signingName ?? config.defaultSigningName ?? definition.name;
  return {
    name: definition.name,
    id: config.serviceId,
    signingName: definition.rename?.signingName ?? signingName,
    endpointPrefix: definition.rename?.endpointPrefix ?? signingName,
    protocol,
    // The SDK names a target for Query services too, which never send one.
    target: protocol.startsWith("awsJson") ? (definition.rename?.target ?? settings.serviceTarget) : undefined,
    version: settings.version,
    xmlNamespace: settings.xmlNamespace ?? "",
    namespace: settings.defaultNamespace,
    get operations() {
      return readSchemas().operations;
    },
    load() {
      if (isLoaded) return undefined;
      loading ??= load();
      return loading;
    },
    get errors() {
      return readSchemas().errors;
    },
    limits: definition.limits,
    validation: definition.validation,
    migrations: definition.migrations,
    pageTokens: definition.pageTokens,
    dataPlanes: definition.dataPlanes ?? [],
    resourceTags: async (arn, call) => definition.resourceTags?.(arn, call),
    rewritePolicies: definition.rewritePolicies,
    registerWork: (system) => definition.registerWork?.(system),
  };
}

interface Schemas {
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly errors: ReadonlyMap<string, StaticErrorSchema>;
}

/** What a client package exports of its model, found by form. */
function schemasOf(sdk: object): Schemas {
  const operations = new Map<string, OperationModel>();
  const errors = new Map<string, StaticErrorSchema>();
  for (const value of Object.values(sdk) as unknown[]) {
    if (!Array.isArray(value)) continue;
    if (value[0] === OPERATION) {
      const [, , name, traits, input, output] = value as unknown as StaticOperationSchema;
      operations.set(name, {
        name,
        input: NormalizedSchema.of(input),
        output: NormalizedSchema.of(output),
        http: (traits as { http?: [string, string, number] } | undefined)?.http,
        operation: undefined,
      });
    } else if (value[0] === ERROR) {
      errors.set(value[2], value as unknown as StaticErrorSchema);
    }
  }
  return { operations, errors };
}

/** A structure schema with the given members only: an HTTP body without its bindings, or a wrapper by another name. */
export function narrowedStructure(
  schema: NormalizedSchema,
  name: string | undefined,
  keep: (member: NormalizedSchema) => boolean,
): NormalizedSchema {
  const structure = schema.getSchema() as StaticStructureSchema;
  const [, namespace, shape, traits, members, targets] = structure;
  const kept = members.map((_, index) => index).filter((index) => keep(schema.getMemberSchema(members[index]!)));
  return NormalizedSchema.of([
    3,
    namespace,
    name ?? shape,
    name ? 0 : traits,
    kept.map((index) => members[index]!),
    kept.map((index) => targets[index]!),
  ] as StaticStructureSchema);
}
