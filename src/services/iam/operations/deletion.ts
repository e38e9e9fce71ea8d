/** What must be gone before a user, group or role can be deleted. */
import type { Database } from "#store/database.ts";
import { deleteConflict } from "../errors.ts";
import type { Entity, EntityRef } from "../model.ts";
import { listAccessKeys } from "../store/access-keys.ts";
import { listInlinePolicies } from "../store/inline-policies.ts";
import { findLoginProfile } from "../store/login-profiles.ts";
import { listAttachments } from "../store/managed-policies.ts";
import { mfaDevicesOfUser } from "../store/mfa-devices.ts";
import { listUserCredentials } from "../store/user-credentials.ts";

/** Throws DeleteConflict. */
export async function requireNoPolicies(db: Database, holder: EntityRef): Promise<void> {
  if ((await listAttachments(db, holder)).length > 0) {
    throw deleteConflict("Cannot delete entity, must detach all policies first.");
  }
  if ((await listInlinePolicies(db, holder)).length > 0) {
    throw deleteConflict("Cannot delete entity, must delete policies first.");
  }
}

/** Throws DeleteConflict. */
export async function requireNoCredentials(db: Database, user: Entity): Promise<void> {
  const { accountId, id } = user;
  if ((await listAccessKeys(db, user)).length > 0) {
    throw deleteConflict("Cannot delete entity, must delete access keys first.");
  }
  if (await findLoginProfile(db, accountId, id)) {
    throw deleteConflict("Cannot delete entity, must delete login profile first.");
  }
  if ((await mfaDevicesOfUser(db, accountId, id)).length > 0) {
    throw deleteConflict("Cannot delete entity, must delete MFA device first.");
  }
  if ((await listUserCredentials(db, accountId, "signing", id)).length > 0) {
    throw deleteConflict("Cannot delete entity, must delete certificates first.");
  }
  for (const kind of ["ssh", "service"] as const) {
    if ((await listUserCredentials(db, accountId, kind, id)).length > 0) {
      throw deleteConflict("Cannot delete entity, must remove referenced objects first.");
    }
  }
}
