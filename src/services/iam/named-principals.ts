/** Whom resource-based policies name, as IAM knows them; see `gateway/policy-principals.ts`. */
import type { System } from "#gateway/context.ts";
import { principalsIn, UnknownPrincipalError, withPrincipals } from "#gateway/policy-principals.ts";
import type { Database } from "#store/database.ts";
import { arnOf, type Entity, type EntityKind, nameOfArn } from "./model.ts";
import { findEntity, findEntityById, hasEntities } from "./store/entities.ts";

const ENTITY_ARN = /^arn:aws:iam::(\d{12}):(user|role)\/./;
const UNIQUE_ID = /^A(?:IDA|ROA)[A-Z0-9]+$/;

/**
 * The document as it is kept: as it was put, with ARNs for unique ids of users and roles that exist. Throws
 * UnknownPrincipalError for a user or role that does not. `isHere` says whether an account without any is on this Slipway; of
 * one that is elsewhere nothing can be known.
 */
export async function withKnownPrincipals(
  db: Database,
  document: string,
  isHere: (accountId: string) => Promise<boolean>,
): Promise<string> {
  const arns = new Map<string, string>();
  const principals = principalsIn(document);
  for (const principal of principals) {
    const [, account, kind] = ENTITY_ARN.exec(principal) ?? [];
    if (account !== undefined) {
      const here = (await isHere(account)) || (await hasEntities(db, account));
      if (!here) continue;
      const named = await findEntity(db, { accountId: account, kind: kind as EntityKind, name: nameOfArn(principal) });
      if (!named || arnOf(named) !== principal) throw new UnknownPrincipalError(principal);
    } else if (UNIQUE_ID.test(principal)) {
      const named = await findEntityById(db, principal);
      if (!named) throw new UnknownPrincipalError(principal);
      arns.set(principal, arnOf(named));
    }
  }
  const kept = withPrincipals(document, arns);
  // Policies are found again by their text. JSON may write a slash as \/ and any letter as \u006c; afresh it does neither.
  return principalsIn(kept).every((principal) => kept.includes(principal)) ? kept : JSON.stringify(JSON.parse(kept));
}

/** In the transaction in which a user or role is deleted. */
export function leaveUniqueId(system: System, trx: Database, deleted: Entity): Promise<void> {
  return system.replacePrincipal(trx, arnOf(deleted), deleted.id);
}

/** In the transaction in which a user gets another name or path. */
export function followArn(system: System, trx: Database, before: Entity, after: Entity): Promise<void> {
  return system.replacePrincipal(trx, arnOf(before), arnOf(after));
}
