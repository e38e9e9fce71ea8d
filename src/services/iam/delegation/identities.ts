/**
 * Who took or accepted a delegation request: kept by the unique id that a caller goes by (`Principal.userId`), as resource-based
 * policies mean whom they name. A rename does not lose it, and who is made with the same name later is somebody else. What the
 * API shows and takes are ARNs.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 */
import type { Database } from "#store/database.ts";
import { arnOf, type EntityKind, nameOfArn } from "../model.ts";
import { findEntitiesById, findEntity } from "../store/entities.ts";

/** A user's id, or a role's with the session's name behind it. */
const OF_ENTITY = /^(A(?:IDA|ROA)[A-Z0-9]+)(?::(.+))?$/;
const OF_FEDERATED_USER = /^(\d{12}):(.+)$/;
const USER_ARN = /^arn:aws:iam::\d{12}:user\/.+$/;
const SESSION_ARN = /^arn:aws:sts::\d{12}:assumed-role\/([^/]+)\/([^/]+)$/;
const FEDERATED_USER_ARN = /^arn:aws:sts::\d{12}:federated-user\/(.+)$/;
const ROOT_ARN = /^arn:aws:iam::\d{12}:root$/;

/** Gives the ARNs that the account's identities have today; the id itself for who is gone, as it is left in policies. */
export async function arnsOfIdentities(
  db: Database,
  accountId: string,
  ids: readonly string[],
): Promise<(id: string) => string> {
  const entityIds = ids.map((id) => OF_ENTITY.exec(id)?.[1]).filter((id) => id !== undefined);
  const found = await findEntitiesById(db, accountId, [...new Set(entityIds)]);
  const entities = new Map(found.map((entity) => [entity.id, entity]));
  return (id) => {
    if (/^\d{12}$/.test(id)) return `arn:aws:iam::${id}:root`;
    const [, account, federatedName] = OF_FEDERATED_USER.exec(id) ?? [];
    if (account !== undefined) return `arn:aws:sts::${account}:federated-user/${federatedName}`;
    const [, entityId = "", sessionName] = OF_ENTITY.exec(id) ?? [];
    const entity = entities.get(entityId);
    if (!entity) return id;
    return sessionName === undefined
      ? arnOf(entity)
      : `arn:aws:sts::${entity.accountId}:assumed-role/${entity.name}/${sessionName}`;
  };
}

/** The unique id of who has the ARN today; the text itself where nobody in the account has. */
export async function idOfIdentity(db: Database, accountId: string, arn: string): Promise<string> {
  if (arn.split(":")[4] !== accountId) return arn;
  const entityId = async (kind: EntityKind, name: string) => {
    const entity = await findEntity(db, { accountId, kind, name });
    const named = entity && (kind === "user" ? arnOf(entity) === arn : entity.name === name);
    return named ? entity.id : undefined;
  };
  if (ROOT_ARN.test(arn)) return accountId;
  if (USER_ARN.test(arn)) return (await entityId("user", nameOfArn(arn))) ?? arn;
  const [, federatedName] = FEDERATED_USER_ARN.exec(arn) ?? [];
  if (federatedName !== undefined) return `${accountId}:${federatedName}`;
  const [, roleName, sessionName] = SESSION_ARN.exec(arn) ?? [];
  if (roleName === undefined) return arn;
  const roleId = await entityId("role", roleName);
  return roleId === undefined ? arn : `${roleId}:${sessionName}`;
}
