/** A user, group or role by its ARN, with the policies that it has. */
import type { Call } from "#gateway/context.ts";
import { type AttachedDocuments, attachedDocuments } from "../attached-documents.ts";
import { invalidInput, noSuchEntity, notFound } from "../errors.ts";
import { arnOf, type EntityKind, nameOfArn } from "../model.ts";
import { refOf } from "./support.ts";

/** Throws InvalidInput for what is no such ARN, or NoSuchEntity. */
export async function entityOfArn(call: Call, arn: string): Promise<AttachedDocuments> {
  const [, accountId, kind] = /^arn:aws:iam::(\d{12}):(user|group|role)\/./.exec(arn) ?? [];
  if (kind === undefined) {
    throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  }
  if (accountId !== call.accountId) throw noSuchEntity(`Entity ${arn} does not exist.`);
  const name = nameOfArn(arn);
  const found = await attachedDocuments(call.db, refOf(call, kind as EntityKind, name));
  if (!found || arnOf(found.entity) !== arn) throw notFound(kind, name);
  return found;
}
