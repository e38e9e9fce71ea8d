/** The first user of a new Slipway, so that there are credentials to begin with. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { accountOfAccessKey, newAccessKeyId } from "#gateway/access-key-id.ts";
import type { System } from "#gateway/context.ts";
import { writePrivateFile } from "#setup/private-file.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { SECRET_PURPOSE } from "./identities.ts";
import { newId, newSecretAccessKey } from "./ids.ts";
import type { Entity } from "./model.ts";
import { findAccessKey, insertAccessKey, listAccessKeys } from "./store/access-keys.ts";
import { findEntity, insertEntity } from "./store/entities.ts";
import { insertAttachment } from "./store/managed-policies.ts";

const NAME = "administrator";
const POLICY = "arn:aws:iam::aws:policy/AdministratorAccess";
/** In the data folder, mode 0600. */
const FILE = "administrator.json";

export interface AdministratorKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Dependencies = Pick<System, "db" | "cipher" | "clock" | "config">;

/**
 * Makes the user `administrator` with AdministratorAccess in the configured account unless it is there, and answers a key of
 * its own that works. Nobody is locked out: where all its keys were deleted or made inactive, it gets another one. A key that
 * was deleted never comes back, but after a reset (`restored`), which the clients of a test suite must outlive.
 *
 * The file remembers which of two active keys is the administrator's own, and for resets (`--allow-reset`) its secret.
 */
export async function ensureAdministrator(
  system: Dependencies,
  { restored = false }: { readonly restored?: boolean } = {},
): Promise<AdministratorKey> {
  const { config } = system;
  const file = join(config.dataDir, FILE);
  const remembered = readKey(file, config.accountId);
  const key = await inTransaction(system.db, async (trx) => {
    const user = await findEntity(trx, { accountId: config.accountId, kind: "user", name: NAME });
    const active = user && (await activeKeyOf(trx, system, user, remembered?.accessKeyId));
    if (active) return active;
    if (!user) await insertAdministrator(trx, system);
    const made = {
      accessKeyId: newAccessKeyId("AKIA", config.accountId),
      secretAccessKey: newSecretAccessKey(),
      ...(restored && isComplete(remembered) && remembered),
    };
    await insertAccessKey(trx, {
      ...made,
      accountId: config.accountId,
      userName: NAME,
      status: "Active",
      createdAt: system.clock.now(),
      lastUsed: undefined,
      sealedSecret: system.cipher.seal(SECRET_PURPOSE, made.secretAccessKey),
    });
    return made;
  });
  const content = config.allowReset ? key : { accessKeyId: key.accessKeyId };
  if (JSON.stringify(content) !== JSON.stringify(remembered)) {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    writePrivateFile(file, content);
  }
  return key;
}

async function insertAdministrator(trx: Database, { clock, config }: Dependencies): Promise<void> {
  const administrator: Entity = {
    accountId: config.accountId,
    kind: "user",
    name: NAME,
    path: "/",
    id: newId("user"),
    createdAt: clock.now(),
    tags: new Map(),
    boundaryArn: undefined,
    role: undefined,
  };
  await insertEntity(trx, administrator);
  await insertAttachment(trx, administrator, POLICY);
}

/** The preferred key if it is active, else the newest that is; undefined where none is. */
async function activeKeyOf(
  db: Database,
  { cipher }: Dependencies,
  user: Entity,
  preferred: string | undefined,
): Promise<AdministratorKey | undefined> {
  const active = (await listAccessKeys(db, user)).filter(({ status }) => status === "Active");
  const chosen = active.find(({ accessKeyId }) => accessKeyId === preferred) ?? active.at(-1);
  const stored = chosen && (await findAccessKey(db, chosen.accessKeyId));
  if (!stored) return undefined;
  const secret = cipher.open(SECRET_PURPOSE, stored.sealedSecret);
  if (!secret) throw new Error("The database was written with another master key (master.key, SLIPWAY_MASTER_KEY)");
  return { accessKeyId: stored.accessKeyId, secretAccessKey: secret.toString() };
}

function isComplete(key: Partial<AdministratorKey> | undefined): key is AdministratorKey {
  return key?.secretAccessKey !== undefined;
}

/** undefined where there is no file, it is not whole, or it is of another account. */
function readKey(file: string, accountId: string): (Partial<AdministratorKey> & { accessKeyId: string }) | undefined {
  try {
    const key = JSON.parse(readFileSync(file, "utf8")) as AdministratorKey;
    return typeof key.accessKeyId === "string" && accountOfAccessKey(key.accessKeyId) === accountId ? key : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
