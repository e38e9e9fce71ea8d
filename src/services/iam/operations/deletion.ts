/** What must be gone before a user, group or role can be deleted. */
import type { Database } from "#store/database.ts";
import { deleteConflict } from "../errors.ts";
import type { EntityRef } from "../model.ts";
import { listInlinePolicies } from "../store/inline-policies.ts";
import { listAttachments } from "../store/managed-policies.ts";

/** Throws DeleteConflict. */
export async function requireNoPolicies(db: Database, holder: EntityRef): Promise<void> {
  if ((await listAttachments(db, holder)).length > 0) {
    throw deleteConflict("Cannot delete entity, must detach all policies first.");
  }
  if ((await listInlinePolicies(db, holder)).length > 0) {
    throw deleteConflict("Cannot delete entity, must delete policies first.");
  }
}
