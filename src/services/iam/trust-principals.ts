/**
 * Whom a trust policy names. IAM keeps the unique id behind a user's or role's ARN: one that is deleted leaves its id in
 * the policy, and one of the same name that is made later is somebody else.
 *
 * Here the ARN stays in the text for as long as it means the one that was there when the policy was put: renaming
 * rewrites it, and deleting puts the id in its place. Nothing has to be looked up where policies are evaluated.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
 */
import type { Database } from "#store/database.ts";
import { malformedPolicyDocument } from "./errors.ts";
import { arnOf, type Entity, type EntityKind, nameOfArn, roleDetails } from "./model.ts";
import { findEntity, findEntityById, rolesMentioning, updateEntity } from "./store/entities.ts";

const ENTITY_ARN = /^arn:aws:iam::(\d{12}):(user|role)\/./;
const UNIQUE_ID = /^A(?:IDA|ROA)[A-Z0-9]+$/;

/**
 * The document as it is kept: as it was put, with ARNs for unique ids of users and roles that exist. Throws
 * MalformedPolicyDocument for a user or role of the account that does not. What other accounts have cannot always be
 * known: they may not be here.
 */
export async function withKnownPrincipals(db: Database, accountId: string, document: string): Promise<string> {
  const arns = new Map<string, string>();
  for (const principal of principalsIn(document)) {
    const [, account, kind] = ENTITY_ARN.exec(principal) ?? [];
    if (account === accountId) {
      const named = await findEntity(db, { accountId, kind: kind as EntityKind, name: nameOfArn(principal) });
      if (!named || arnOf(named) !== principal) throw invalidPrincipal(principal);
    } else if (UNIQUE_ID.test(principal)) {
      const named = await findEntityById(db, principal);
      if (!named) throw invalidPrincipal(principal);
      arns.set(principal, arnOf(named));
    }
  }
  return replaced(document, arns);
}

/** In the transaction in which a user or role is deleted. */
export function leaveUniqueId(trx: Database, deleted: Entity): Promise<void> {
  return replaceEverywhere(trx, arnOf(deleted), deleted.id);
}

/** In the transaction in which a user gets another name or path. */
export function followArn(trx: Database, before: Entity, after: Entity): Promise<void> {
  return replaceEverywhere(trx, arnOf(before), arnOf(after));
}

async function replaceEverywhere(trx: Database, principal: string, by: string): Promise<void> {
  for (const role of await rolesMentioning(trx, principal)) {
    const details = roleDetails(role);
    const trustPolicy = replaced(details.trustPolicy, new Map([[principal, by]]));
    if (trustPolicy !== details.trustPolicy) await updateEntity(trx, { ...role, role: { ...details, trustPolicy } });
  }
}

function invalidPrincipal(principal: string): Error {
  return malformedPolicyDocument(`Invalid principal in policy: "AWS":"${principal}"`);
}

interface RawStatement {
  Principal?: "*" | { AWS?: string | string[] };
}

/** The document has been parsed before: it is well formed. */
function statementsOf(policy: { Statement: RawStatement | RawStatement[] }): RawStatement[] {
  return [policy.Statement].flat();
}

function principalsIn(document: string): string[] {
  return statementsOf(JSON.parse(document)).flatMap(({ Principal }) =>
    typeof Principal === "object" ? [Principal.AWS ?? []].flat() : [],
  );
}

function replaced(document: string, replacements: ReadonlyMap<string, string>): string {
  if (!principalsIn(document).some((principal) => replacements.has(principal))) return document;
  const policy = JSON.parse(document);
  const substitute = (principal: string) => replacements.get(principal) ?? principal;
  for (const { Principal } of statementsOf(policy)) {
    if (typeof Principal !== "object" || Principal.AWS === undefined) continue;
    Principal.AWS = Array.isArray(Principal.AWS) ? Principal.AWS.map(substitute) : substitute(Principal.AWS);
  }
  return JSON.stringify(policy);
}
