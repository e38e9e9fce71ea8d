import type { Call } from "#gateway/context.ts";
import type { ResourceTags } from "#gateway/service.ts";
import { nameOfArn, type Tags } from "./model.ts";
import { findEntity } from "./store/entities.ts";
import { findInstanceProfile } from "./store/instance-profiles.ts";
import { findPolicy } from "./store/managed-policies.ts";
import { findMfaDevice } from "./store/mfa-devices.ts";
import { findOidcProvider } from "./store/oidc-providers.ts";
import { findSamlProvider } from "./store/saml-providers.ts";
import { findServerCertificate } from "./store/server-certificates.ts";

/** `aws:ResourceTag/…` of everything in IAM that has tags, and `iam:ResourceTag/…` of users and roles. */
export async function resourceTags(arn: string, call: Call): Promise<ResourceTags | undefined> {
  const tags = await tagsOf(arn, call);
  return tags && Object.fromEntries(tags);
}

async function tagsOf(arn: string, { db }: Call): Promise<Tags | undefined> {
  const [, accountId, kind, place] = /^arn:aws:iam::(\d{12}):([a-z-]+)\/(.+)$/.exec(arn) ?? [];
  if (accountId === undefined) return undefined;
  const name = nameOfArn(arn);
  switch (kind) {
    case "user":
    case "role":
      return (await findEntity(db, { accountId, kind, name }))?.tags;
    case "policy":
      return (await findPolicy(db, accountId, arn))?.tags;
    case "instance-profile":
      return (await findInstanceProfile(db, accountId, name))?.tags;
    case "server-certificate":
      return (await findServerCertificate(db, accountId, name))?.tags;
    case "mfa":
      return (await findMfaDevice(db, accountId, arn))?.tags;
    case "oidc-provider":
      return (await findOidcProvider(db, accountId, place!))?.tags;
    case "saml-provider":
      return (await findSamlProvider(db, accountId, place!))?.tags;
    default:
      return undefined;
  }
}
