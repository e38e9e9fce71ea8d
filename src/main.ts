/** The only place that wires things together: options in, a running Slipway out. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "#engines/engine.ts";
import { FileAudit } from "#gateway/audit.ts";
import { Cipher } from "#gateway/cipher.ts";
import { InProcessClient } from "#gateway/client.ts";
import { containerCredentialsRoute } from "#gateway/container-environment.ts";
import type { Config, Principal, System } from "#gateway/context.ts";
import { Egress } from "#gateway/egress.ts";
import { requestHandler } from "#gateway/handle.ts";
import { type HeldSockets, Listener } from "#gateway/listener.ts";
import { healthRoute, resetRoute } from "#gateway/own-routes.ts";
import { replacePrincipal } from "#gateway/policy-principals.ts";
import { Registry } from "#gateway/registry.ts";
import { TlsIssuer } from "#gateway/tls.ts";
import { type AdministratorKey, ensureAdministrator, IamIdentities } from "#services/iam/index.ts";
import { OrganizationMemberships } from "#services/organizations/index.ts";
import { services } from "#services/services.ts";
import { FolderBlobStore } from "#store/blobs/folder-blob-store.ts";
import { Bus } from "#store/bus.ts";
import { inTransaction } from "#store/database.ts";
import { emptyTables, migrate } from "#store/migrate.ts";
import { openStore } from "#store/open.ts";
import { removeTemporaryFolders } from "#store/temporary-folder.ts";
import { Work, workMigrations } from "#store/work.ts";
import packageJson from "../package.json" with { type: "json" };

export interface SlipwayOptions {
  readonly dataDir: string;
  /** 0 takes a free port, which containers of an earlier start do not know: for tests without containers. */
  readonly port: number;
  readonly accountId: string;
  readonly region: string;
  /** `postgres://…`; undefined: SQLite in the data folder. */
  readonly database?: string;
  readonly engine: (instance: string) => Engine;
  readonly acceptAnyCredentials?: boolean;
  readonly allowReset?: boolean;
  readonly providerEndpoints?: Readonly<Record<string, string>>;
  /** Where listening sockets come from and go to when this process is killed and started again. */
  readonly heldSockets?: HeldSockets | undefined;
  readonly log: System["log"];
}

export interface Slipway {
  readonly system: System;
  readonly registry: Registry;
  readonly url: string;
  readonly administrator: AdministratorKey;
  /** The bundle that clients need for TLS. */
  readonly caBundleFile: string;
  /** Lets requests and work end, leaves containers running. */
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const CLOSE_GRACE_MS = 5_000;
/** Served here when they come through the egress proxy. */
const LOCAL_HOSTS = /(^|\.)(amazonaws\.com|tokens\.sts\.global\.api\.aws|(elb|tokens\.sts)\.localhost)$/;

export async function startSlipway(options: SlipwayOptions): Promise<Slipway> {
  const { dataDir, log } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await removeTemporaryFolders(dataDir);
  const clock = { now: () => new Date() };
  const store = await openStore(options.database ?? join(dataDir, "slipway.db"));
  const bus = new Bus(store.notifications);
  await bus.start();
  const registry = new Registry(services);
  const migrations = [
    { service: "work", migrations: workMigrations },
    ...services.map((service) => ({ service: service.name, migrations: service.migrations })),
  ];
  await migrate(store.db, migrations, clock.now());

  const tls = await TlsIssuer.open(join(dataDir, "tls"));
  const caBundleFile = join(dataDir, "tls", "bundle.pem");
  const caBundle = tls.bundlePem();
  writeFileSync(caBundleFile, caBundle);

  // The port may be chosen by the system, so listening comes before everything that knows the port.
  // What is asked before the end of the start waits for it.
  const ready = Promise.withResolvers<void>();
  let handle: ReturnType<typeof requestHandler> = (request, response) =>
    void ready.promise.then(() => handle(request, response));
  const egress = new Egress({
    local: (hostname) => LOCAL_HOSTS.test(hostname),
    policy: () => "allow",
    onConnect: ({ host, port, decision, reason }) => {
      if (decision !== "local") log("info", `egress ${decision} ${host}:${port}`, { reason });
    },
  });
  const listener = new Listener({
    tls,
    egress,
    onRequest: (request, response) => handle(request, response),
    heldSockets: options.heldSockets,
  });
  const { port } = await listener.listen(LOOPBACK, options.port);

  const config: Config = {
    dataDir,
    port,
    accountId: options.accountId,
    region: options.region,
    acceptAnyCredentials: options.acceptAnyCredentials ?? false,
    allowReset: options.allowReset ?? false,
    instance: instanceOf(dataDir),
    providerEndpoints: options.providerEndpoints ?? {},
  };
  const blobsDir = join(dataDir, "blobs");
  const cipher = Cipher.open(join(dataDir, "master.key"));
  const identities = new IamIdentities({ db: store.db, cipher, bus, clock, config });
  const organizations = new OrganizationMemberships({ db: store.db, bus });
  const audit = new FileAudit(join(dataDir, "audit"), (error) => log("error", "audit trail", { error: String(error) }));
  const work = new Work(store, bus, (item, error) =>
    log("error", `${item.kind} ${item.id} failed and is tried again`, {
      error: String((error as Error).stack ?? error),
    }),
  );
  const engine = options.engine(config.instance);
  const listening = new Set<string>();
  const listenOnce = async (address: string) => {
    if (listening.has(address)) return;
    listening.add(address);
    await listener.listen(address, port).catch((error: unknown) => {
      listening.delete(address);
      throw error;
    });
  };
  const containerAddressesFile = join(dataDir, "container-addresses.json");

  const system: System = {
    config,
    db: store.db,
    blobs: new FolderBlobStore(blobsDir),
    engine,
    bus,
    work,
    clock,
    cipher,
    identities,
    organizations,
    audit,
    client: (principal, scope) => new InProcessClient(system, registry, principal, scope),
    principalOf: (credentials) => principalOf(system, credentials),
    async containerGateway() {
      const gateway = await engine.gateway(port);
      for (const address of gateway.listenAddresses) await listenOnce(address);
      rememberAddresses(containerAddressesFile, gateway.listenAddresses);
      return gateway;
    },
    caBundle: () => caBundle,
    resourceTags: async (arn, call) => registry.byArn(arn)?.resourceTags(arn, call),
    replacePrincipal: (trx, principal, by) => replacePrincipal(registry.services, trx, principal, by),
    log,
  };

  const administrator = await ensureAdministrator(system).catch(async (error: unknown) => {
    // What listens would keep the process alive after its failure.
    await listener.close(0);
    await identities.stop();
    await store.close();
    throw error;
  });
  const routes = {
    version: packageJson.version,
    services,
    reset: config.allowReset
      ? async () => {
          await work.pause(async () => {
            const groups = await engine.recover({}).catch((error: unknown) => {
              log("warn", "reset without an engine: containers of earlier tests may be left", { error: String(error) });
              return [];
            });
            for (const group of groups) await engine.remove(group.id);
            // Together, so that a kill in between does not take the key away that the test suite has.
            await inTransaction(store.db, async (trx) => {
              await emptyTables(trx);
              await ensureAdministrator({ ...system, db: trx }, { restored: true });
            });
            await rm(blobsDir, { recursive: true, force: true });
            identities.forgetAll();
            organizations.forgetAll();
          });
        }
      : undefined,
  };
  for (const service of services) await service.registerWork(system);
  for (const plane of services.flatMap(({ dataPlanes }) => dataPlanes)) await plane.start?.(system);
  await work.start();
  handle = requestHandler(system, registry, [healthRoute(routes), resetRoute(routes), containerCredentialsRoute()]);
  ready.resolve();
  // Containers of an earlier start talk to these addresses. The engine knows them too, but it may be away, or one that is
  // only started when it is needed. An address that is gone has nobody left.
  for (const address of [...rememberedAddresses(containerAddressesFile), ...(options.heldSockets?.inherited ?? [])]) {
    if (address !== LOOPBACK) listenOnce(address).catch(() => undefined);
  }

  return {
    system,
    registry,
    url: `http://${LOOPBACK}:${port}`,
    administrator,
    caBundleFile,
    async close() {
      await work.stop();
      for (const plane of services.flatMap(({ dataPlanes }) => dataPlanes)) await plane.stop?.();
      await listener.close(CLOSE_GRACE_MS);
      await audit.flush();
      await identities.stop();
      organizations.stop();
      await store.close();
    },
  };
}

/** Whole or not at all: a kill in between must not keep the next start from reading it. */
function rememberAddresses(file: string, addresses: readonly string[]): void {
  if (rememberedAddresses(file).join() === addresses.join()) return;
  writeFileSync(`${file}.new`, JSON.stringify(addresses));
  renameSync(`${file}.new`, file);
}

/** Where containers were last told to reach us; none before the first container. */
function rememberedAddresses(file: string): readonly string[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as string[]) : [];
}

/** Unique per data folder and kept in it. */
function instanceOf(dataDir: string): string {
  const file = join(dataDir, "instance");
  if (!existsSync(file)) writeFileSync(file, randomUUID());
  return readFileSync(file, "utf8").trim();
}

async function principalOf(
  system: System,
  { AccessKeyId = "", SessionToken }: { AccessKeyId?: string; SessionToken?: string },
): Promise<Principal> {
  const known = await system.identities.authenticate(AccessKeyId, SessionToken, system.clock.now());
  if (typeof known === "string") throw new Error(`The credentials ${AccessKeyId} are ${known}`);
  return known.principal;
}
