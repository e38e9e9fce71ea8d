/**
 * Whom stored resource-based policies name. On AWS a policy keeps the unique id behind a user's or role's ARN: one that is
 * deleted leaves its id in the policy, and one of the same name that is made later is somebody else.
 *
 * Here the ARN stays in the text for as long as it means the one that was there when the policy was put: renaming rewrites
 * it, and deleting puts the id in its place, in whatever services the policies are. Nothing has to be looked up where they are
 * evaluated.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles
 * https://repost.aws/knowledge-center/kms-policy-error-invalid-principals
 */
import type { Database } from "#store/database.ts";
import type { Call } from "./context.ts";
import type { Service } from "./service.ts";

/** A policy names a user or role that there is not. */
export class UnknownPrincipalError extends Error {
  override readonly name = "UnknownPrincipalError";
  readonly principal: string;

  constructor(principal: string) {
    super(`${principal} does not exist`);
    this.principal = principal;
  }
}

/**
 * The policy, which has been parsed, as it is to be stored by `db`: in the transaction that stores it, so that nobody whom it
 * names is deleted in between. Throws what `refusal` makes where somebody does not exist; it may be given an ARN or a unique id.
 */
export async function policyToStore(
  call: Call,
  db: Database,
  { accountId, document }: { readonly accountId: string; readonly document: string },
  refusal: (principal: string) => Error,
): Promise<string> {
  const { identities, organizations } = call.system;
  try {
    return (await identities.withKnownPrincipals?.(document, accountId, db, organizations)) ?? document;
  } catch (error) {
    throw error instanceof UnknownPrincipalError ? refusal(error.principal) : error;
  }
}

/** In all policies of all services, in the transaction in which the one becomes the other. */
export async function replacePrincipal(
  services: readonly Service[],
  trx: Database,
  principal: string,
  by: string,
): Promise<void> {
  const rewrite = (document: string) => withPrincipals(document, new Map([[principal, by]]));
  for (const service of services) await service.rewritePolicies?.(trx, principal, rewrite);
}

/** The AWS principals that a well-formed document names. */
export function principalsIn(document: string): string[] {
  return namings(JSON.parse(document)).flatMap(({ AWS }) => [AWS ?? []].flat());
}

/** A well-formed document with others in the place of those that it names; the same text where it names none of them. */
export function withPrincipals(document: string, replacements: ReadonlyMap<string, string>): string {
  if (!principalsIn(document).some((principal) => replacements.has(principal))) return document;
  const policy = JSON.parse(document);
  const substitute = (principal: string) => replacements.get(principal) ?? principal;
  for (const naming of namings(policy)) {
    if (naming.AWS === undefined) continue;
    naming.AWS = Array.isArray(naming.AWS) ? naming.AWS.map(substitute) : substitute(naming.AWS);
  }
  return JSON.stringify(policy);
}

interface Naming {
  AWS?: string | string[];
}

type RawStatement = Readonly<Partial<Record<"Principal" | "NotPrincipal", "*" | Naming>>>;

function namings(policy: { readonly Statement: RawStatement | readonly RawStatement[] }): Naming[] {
  return [policy.Statement]
    .flat()
    .flatMap(({ Principal, NotPrincipal }) => [Principal, NotPrincipal])
    .filter((naming) => typeof naming === "object");
}
