/**
 * A system for tests beside services: SQLite in memory (or PostgreSQL, see `database`), blobs in a temporary folder, the
 * engine of the test's choice, a clock that the test moves, and no HTTP. Calls go through `client`, so validation and
 * authorization are real.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "#engines/engine.ts";
import type { Audit } from "#gateway/audit.ts";
import type { CompiledPolicy } from "#gateway/authz/compile.ts";
import { Cipher } from "#gateway/cipher.ts";
import { type Client, InProcessClient } from "#gateway/client.ts";
import {
  type Config,
  type Identities,
  type Organizations,
  type Principal,
  rootPrincipal,
  type System,
} from "#gateway/context.ts";
import { replacePrincipal } from "#gateway/policy-principals.ts";
import { Registry } from "#gateway/registry.ts";
import type { Service } from "#gateway/service.ts";
import { FolderBlobStore } from "#store/blobs/folder-blob-store.ts";
import { Bus } from "#store/bus.ts";
import { migrate } from "#store/migrate.ts";
import { openStore } from "#store/open.ts";
import { Work, workMigrations } from "#store/work.ts";

export const ACCOUNT = "111122223333";
export const REGION = "us-east-1";

export interface TestSystem extends Omit<System, "log">, AsyncDisposable {
  log: System["log"];
  readonly registry: Registry;
  /** The account's root in the test's region. */
  readonly root: Client;
  /** What the audit trail got: "codebuild:StartBuild", with the error's name after a space where it failed. */
  readonly audited: string[];
  /** Errors that work handlers threw; a test that expects none asserts that it is empty. */
  readonly workErrors: unknown[];
  setNow(now: Date): void;
  /** Policies by principal ARN, for principals that are not the root. */
  readonly policies: Map<string, readonly CompiledPolicy[]>;
}

export interface TestSystemOptions {
  readonly services: readonly Service[];
  readonly engine?: Engine;
  /** Overrides the simple built-in one; made once the store is open. */
  readonly identities?: (system: Pick<System, "db" | "cipher" | "bus" | "clock" | "config">) => Identities;
  /** Without it no account is in an organization. */
  readonly organizations?: (system: Pick<System, "db" | "bus">) => Organizations;
  readonly config?: Partial<Config>;
  /** "postgres://…" or ":memory:"; without it a schema of its own in SLIPWAY_TEST_DATABASE, else ":memory:". */
  readonly database?: string;
  /** Starts the work loop; true unless the test wants to drive by hand. */
  readonly work?: boolean;
}

/** Folders of systems that are not disposed of: their start failed, or their test was ended by its time limit. */
const folders = new Set<string>();
process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export async function testSystem(options: TestSystemOptions): Promise<TestSystem> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-test-"));
  folders.add(folder);
  const store = await openStore(options.database ?? (await ownSchema()) ?? ":memory:");
  let now: Date | undefined;
  const clock = { now: () => now ?? new Date() };
  const bus = new Bus(store.notifications);
  await bus.start();
  const registry = new Registry(options.services);
  await migrate(
    store.db,
    [
      { service: "work", migrations: workMigrations },
      ...options.services.map(({ name, migrations }) => ({ service: name, migrations })),
    ],
    clock.now(),
  );
  const workErrors: unknown[] = [];
  const work = new Work(store, bus, (_item, error) => workErrors.push(error));
  const config: Config = {
    dataDir: folder,
    port: 4566,
    accountId: ACCOUNT,
    region: REGION,
    acceptAnyCredentials: false,
    allowReset: false,
    instance: "test",
    providerEndpoints: {},
    ...options.config,
  };
  const cipher = new Cipher(randomBytes(32));
  const policies = new Map<string, readonly CompiledPolicy[]>();
  const identities = options.identities?.({ db: store.db, cipher, bus, clock, config }) ?? simpleIdentities(policies);
  const audited: string[] = [];
  const audit: Audit = {
    record: (service, operation, _input, _call, failure) =>
      void audited.push(`${service.name}:${operation}${failure instanceof Error ? ` ${failure.name}` : ""}`),
  };
  const system: TestSystem = {
    config,
    db: store.db,
    blobs: new FolderBlobStore(join(folder, "blobs")),
    engine: options.engine ?? noEngine(),
    bus,
    work,
    clock,
    cipher,
    identities,
    organizations: options.organizations?.({ db: store.db, bus }) ?? {
      membershipOf: () => undefined,
      isClosed: () => false,
      knows: async () => false,
    },
    audit,
    registry,
    audited,
    workErrors,
    policies,
    setNow(date) {
      now = date;
    },
    get root() {
      return this.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: REGION });
    },
    client: (principal, scope) => new InProcessClient(system, registry, principal, scope),
    principalOf: (credentials) => principalOf(identities, credentials, clock.now()),
    containerGateway: async () => ({ host: "169.254.170.2", port: config.port }),
    caBundle: () => "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    resourceTags: async (arn, call) => registry.byArn(arn)?.resourceTags(arn, call),
    replacePrincipal: (trx, principal, by) => replacePrincipal(registry.services, trx, principal, by),
    log: () => {},
    async [Symbol.asyncDispose]() {
      await work.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
      folders.delete(folder);
    },
  };
  for (const service of options.services) await service.registerWork(system);
  if (options.work !== false) await work.start();
  return system;
}

/** It goes with the database, whoever made that. Loaded only where it is wanted, for the sake of every other start. */
async function ownSchema(): Promise<string | undefined> {
  const database = process.env.SLIPWAY_TEST_DATABASE;
  return database ? (await import("./postgres.ts")).newSchema(database) : undefined;
}

async function principalOf(
  identities: Identities,
  { AccessKeyId = "", SessionToken }: { AccessKeyId?: string; SessionToken?: string },
  now: Date,
): Promise<Principal> {
  const known = await identities.authenticate(AccessKeyId, SessionToken, now);
  if (typeof known === "string") throw new Error(`The credentials ${AccessKeyId} are ${known}`);
  return known.principal;
}

function simpleIdentities(policies: Map<string, readonly CompiledPolicy[]>): Identities {
  return {
    authenticate: async () => "unknown",
    policiesOf: async (principal) => ({ identity: policies.get(principal.arn) ?? [] }),
  };
}

function noEngine(): Engine {
  return new Proxy({} as Engine, {
    get: (_, method) => () => {
      throw new Error(`This test has no engine, and something called its ${String(method)}`);
    },
  });
}
