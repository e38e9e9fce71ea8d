/**
 * A token that says who calls, for services that trust the account's own issuer.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html
 */
import { randomUUID } from "node:crypto";
import { GetOutboundWebIdentityFederationInfoCommand } from "@aws-sdk/client-iam";
import type * as sdk from "@aws-sdk/client-sts";
import { SignJWT } from "jose";
import { requireAccess } from "#gateway/authorize.ts";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import type { ContextKeys, OperationOf } from "#gateway/operation.ts";
import { outboundFederationDisabled, sessionDurationEscalation, validationError } from "../errors.ts";
import { requestedTags, sessionTags } from "../session-tags.ts";
import { TOKEN_ALGORITHMS, tokenKey } from "../token-keys.ts";

const DEFAULT_SECONDS = 300;
/** The tags of the token are those of the request alone: what a session has inherited stands in `principal_tags`. */
const NOBODY_BEFORE = { transitiveTagKeys: [] };
const NAMESPACE = "https://sts.amazonaws.com/";

type Input = sdk.GetWebIdentityTokenCommand["input"];

export const GetWebIdentityToken: OperationOf<sdk.GetWebIdentityTokenCommand> = {
  authorize: { action: "sts:GetWebIdentityToken", resources: () => ["*"], context: requestContext },
  async run(input, call) {
    const algorithm = TOKEN_ALGORITHMS.find((known) => known === input.SigningAlgorithm);
    if (!algorithm) {
      throw validationError(
        `1 validation error detected: Value '${input.SigningAlgorithm}' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [${TOKEN_ALGORITHMS.join(", ")}]`,
      );
    }
    if (input.Tags?.length) {
      const context = requestedTags(input);
      await requireAccess(call, { action: "sts:TagGetWebIdentityToken", resource: "*", context });
    }
    const { tags } = sessionTags({ Tags: input.Tags }, NOBODY_BEFORE);
    const issuer = await ownIssuer(call);
    const issuedAt = Math.floor(call.now.getTime() / 1000);
    const expiresAt = issuedAt + (input.DurationSeconds ?? DEFAULT_SECONDS);
    const { sessionExpiration } = call.principal;
    if (sessionExpiration && expiresAt * 1000 > sessionExpiration.getTime()) throw sessionDurationEscalation();

    const { privateKey, publicJwk } = await tokenKey(call.system, call.db, algorithm);
    const audience = input.Audience!;
    const token = await new SignJWT({ [NAMESPACE]: await claimsOf(call, tags) })
      .setProtectedHeader({ alg: algorithm, kid: publicJwk.kid, typ: "JWT" })
      .setIssuer(issuer)
      .setAudience(audience.length === 1 ? audience[0]! : audience)
      .setSubject(subjectOf(call))
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .setJti(randomUUID())
      .sign(privateKey);
    return { WebIdentityToken: token, Expiration: new Date(expiresAt * 1000) };
  },
};

function requestContext(input: Input): ContextKeys {
  return {
    ...requestedTags(input),
    "sts:identitytokenaudience": input.Audience!,
    "sts:signingalgorithm": input.SigningAlgorithm,
    "sts:durationseconds": String(input.DurationSeconds ?? DEFAULT_SECONDS),
  };
}

/** Throws OutboundWebIdentityFederationDisabled. */
async function ownIssuer(call: Call): Promise<string> {
  const { accountId, region, db } = call;
  try {
    const iam = call.system.client(rootPrincipal(accountId), { accountId, region, db });
    return (await iam.send(new GetOutboundWebIdentityFederationInfoCommand({}))).IssuerIdentifier!;
  } catch (error) {
    if ((error as Error).name === "FeatureDisabledException") throw outboundFederationDisabled();
    throw error;
  }
}

/** The role rather than its session. */
function subjectOf({ principal }: Call): string {
  return principal.roleArn ?? principal.arn;
}

async function claimsOf(call: Call, requestTags: Readonly<Record<string, string>>): Promise<object> {
  const { principal, region } = call;
  const membership = await call.system.organizations.membershipOf(principal.accountId, call.db);
  return {
    aws_account: principal.accountId,
    ...(membership && { org_id: membership.organizationId, ou_path: [membership.path] }),
    source_region: region,
    principal_id: subjectOf(call),
    ...(principal.sessionExpiration && {
      original_session_exp: principal.sessionExpiration.toISOString().replace(/\.\d+Z$/, "Z"),
    }),
    ...(Object.keys(principal.tags ?? {}).length > 0 && { principal_tags: principal.tags }),
    ...(Object.keys(requestTags).length > 0 && { request_tags: requestTags }),
  };
}
