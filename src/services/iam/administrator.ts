/** The first user of a new Slipway, so that there are credentials to begin with. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accountOfAccessKey, newAccessKeyId } from "#gateway/access-key-id.ts";
import type { System } from "#gateway/context.ts";
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
 * Makes the user `administrator` with AdministratorAccess and an access key in the configured account unless it is there,
 * and answers the key. The key is kept in a file too, so that a user made anew (after a reset) has the same one.
 */
export async function ensureAdministrator(system: Dependencies): Promise<AdministratorKey> {
  const { config } = system;
  const file = join(config.dataDir, FILE);
  const remembered = readKey(file, config.accountId);
  const key = await inTransaction(system.db, async (trx) => {
    const user = await findEntity(trx, { accountId: config.accountId, kind: "user", name: NAME });
    const present = user && (await keyOf(trx, system, user));
    if (present) return present;
    const made = remembered ?? {
      accessKeyId: newAccessKeyId("AKIA", config.accountId),
      secretAccessKey: newSecretAccessKey(),
    };
    if (!user) await insertAdministrator(trx, system);
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
  if (key.accessKeyId !== remembered?.accessKeyId) {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600 });
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

/** An active key of the user if it has one, else any; undefined where it has none. */
async function keyOf(db: Database, { cipher }: Dependencies, user: Entity): Promise<AdministratorKey | undefined> {
  const keys = await listAccessKeys(db, user);
  const chosen = keys.find(({ status }) => status === "Active") ?? keys[0];
  const stored = chosen && (await findAccessKey(db, chosen.accessKeyId));
  if (!stored) return undefined;
  const secret = cipher.open(SECRET_PURPOSE, stored.sealedSecret);
  if (!secret) throw new Error("The database was written with another master key (master.key, SLIPWAY_MASTER_KEY)");
  return { accessKeyId: stored.accessKeyId, secretAccessKey: secret.toString() };
}

/** undefined where there is no file, or it is of another account. */
function readKey(file: string, accountId: string): AdministratorKey | undefined {
  try {
    const key = JSON.parse(readFileSync(file, "utf8")) as AdministratorKey;
    return accountOfAccessKey(key.accessKeyId) === accountId ? key : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
