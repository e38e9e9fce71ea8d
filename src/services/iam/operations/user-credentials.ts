/** What SSH keys, signing certificates and service-specific credentials have in common. */
import type { Call } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { idNotFound, invalidInput } from "../errors.ts";
import type { Entity } from "../model.ts";
import type { UserCredentialKind } from "../store/tables.ts";
import {
  deleteUserCredential,
  findUserCredential,
  type UserCredential,
  updateUserCredential,
} from "../store/user-credentials.ts";
import { existing, refOf, userNameOf } from "./support.ts";

const TITLES = {
  ssh: "SSH Public Key",
  signing: "Certificate",
  service: "Service Specific Credential",
} as const satisfies Record<UserCredentialKind, string>;

interface NamesUser {
  readonly UserName?: string | undefined;
}

/** Throws NoSuchEntity where there is no such user, or the credential is not that user's. */
export async function requiredCredential(
  db: Database,
  call: Call,
  kind: UserCredentialKind,
  input: NamesUser,
  id: string,
): Promise<{ readonly user: Entity; readonly credential: UserCredential }> {
  const user = await existing(db, refOf(call, "user", userNameOf(input, call)));
  const credential = await findUserCredential(db, call.accountId, kind, id);
  if (credential?.userId !== user.id) throw idNotFound(TITLES[kind], id);
  return { user, credential };
}

/** The model's third, Expired, is not for callers to set. Throws InvalidInput. */
export function checkedStatus(status: string | undefined): "Active" | "Inactive" {
  if (status !== "Active" && status !== "Inactive") throw invalidInput("Status must be Active or Inactive.");
  return status;
}

export function changeStatus(
  call: Call,
  kind: UserCredentialKind,
  input: NamesUser & { readonly Status: string | undefined },
  id: string,
): Promise<object> {
  const status = checkedStatus(input.Status);
  return inTransaction(call.db, async (trx) => {
    const { credential } = await requiredCredential(trx, call, kind, input, id);
    await updateUserCredential(trx, { ...credential, status });
    return {};
  });
}

export function removeCredential(call: Call, kind: UserCredentialKind, input: NamesUser, id: string): Promise<object> {
  return inTransaction(call.db, async (trx) => {
    const { credential } = await requiredCredential(trx, call, kind, input, id);
    await deleteUserCredential(trx, credential);
    return {};
  });
}
