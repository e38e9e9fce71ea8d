/** Virtual MFA devices, and whose they are. */
import type { Database } from "#store/database.ts";
import type { Tags } from "../model.ts";
import { type Slice, tagsFromJson, tagsToJson } from "./entities.ts";
import type { Tables } from "./tables.ts";

export interface MfaDevice {
  /** Its ARN. */
  readonly serialNumber: string;
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly sealedSeed: string;
  readonly createdAt: Date;
  readonly tags: Tags;
  /** undefined while the device is nobody's. */
  readonly enabled: { readonly userId: string; readonly at: Date } | undefined;
  /** By how many time steps the device's clock is ahead. */
  readonly drift: number;
  /** The newest time step whose code was taken. */
  readonly lastStep: number | undefined;
  /** Since the last one that was taken; no more of them than the throttle needs. */
  readonly wrongCodesAt: readonly Date[];
}

export async function insertMfaDevice(db: Database, device: MfaDevice): Promise<void> {
  await db.withTables<Tables>().insertInto("iam_mfa_devices").values(toRow(device)).execute();
}

export async function findMfaDevice(
  db: Database,
  accountId: string,
  serialNumber: string,
): Promise<MfaDevice | undefined> {
  const row = await devices(db, accountId).where("serial_number", "=", serialNumber).executeTakeFirst();
  return row && toDevice(row);
}

export async function listMfaDevices(
  db: Database,
  accountId: string,
  assigned: "Assigned" | "Unassigned" | "Any",
  { after, limit }: Slice,
): Promise<MfaDevice[]> {
  const rows = await devices(db, accountId)
    .$if(assigned === "Assigned", (query) => query.where("user_id", "is not", null))
    .$if(assigned === "Unassigned", (query) => query.where("user_id", "is", null))
    .$if(after !== undefined, (query) => query.where("serial_number", ">", after!))
    .orderBy("serial_number")
    .limit(limit)
    .execute();
  return rows.map(toDevice);
}

/** In the order of serial numbers. */
export async function mfaDevicesOfUser(db: Database, accountId: string, userId: string): Promise<MfaDevice[]> {
  const rows = await devices(db, accountId).where("user_id", "=", userId).orderBy("serial_number").execute();
  return rows.map(toDevice);
}

export async function updateMfaDevice(db: Database, device: MfaDevice): Promise<void> {
  const { serial_number, account_id, ...values } = toRow(device);
  await db
    .withTables<Tables>()
    .updateTable("iam_mfa_devices")
    .set(values)
    .where("serial_number", "=", serial_number)
    .where("account_id", "=", account_id)
    .execute();
}

export async function deleteMfaDevice(db: Database, { accountId, serialNumber }: MfaDevice): Promise<void> {
  await db
    .withTables<Tables>()
    .deleteFrom("iam_mfa_devices")
    .where("serial_number", "=", serialNumber)
    .where("account_id", "=", accountId)
    .execute();
}

function devices(db: Database, accountId: string) {
  return db.withTables<Tables>().selectFrom("iam_mfa_devices").selectAll().where("account_id", "=", accountId);
}

function toRow(device: MfaDevice): Tables["iam_mfa_devices"] {
  return {
    serial_number: device.serialNumber,
    account_id: device.accountId,
    name: device.name,
    path: device.path,
    sealed_seed: device.sealedSeed,
    created_at: device.createdAt.getTime(),
    tags: tagsToJson(device.tags),
    user_id: device.enabled?.userId ?? null,
    enabled_at: device.enabled?.at.getTime() ?? null,
    drift: device.drift,
    last_step: device.lastStep ?? null,
    wrong_codes_at: JSON.stringify(device.wrongCodesAt.map((at) => at.getTime())),
  };
}

function toDevice(row: Tables["iam_mfa_devices"]): MfaDevice {
  return {
    serialNumber: row.serial_number,
    accountId: row.account_id,
    name: row.name,
    path: row.path,
    sealedSeed: row.sealed_seed,
    createdAt: new Date(row.created_at),
    tags: tagsFromJson(row.tags),
    enabled: row.user_id === null ? undefined : { userId: row.user_id, at: new Date(row.enabled_at!) },
    drift: row.drift,
    lastStep: row.last_step ?? undefined,
    wrongCodesAt: (JSON.parse(row.wrong_codes_at) as number[]).map((at) => new Date(at)),
  };
}
