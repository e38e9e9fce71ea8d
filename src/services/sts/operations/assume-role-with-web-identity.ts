/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
import { GetOpenIDConnectProviderCommand } from "@aws-sdk/client-iam";
import type * as sdk from "@aws-sdk/client-sts";
import { compactVerify, decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from "jose";
import { type Call, rootPrincipal } from "#gateway/context.ts";
import { ThumbprintError, UnreachableError } from "#gateway/federation/issuer-tls.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { expiredToken, idpCommunicationError, invalidIdentityToken } from "../errors.ts";
import {
  accountOfRole,
  checkedSourceIdentity,
  federatedPrincipal,
  federatedSession,
  requireTags,
  signInOf,
  trustOf,
} from "../federated-session.ts";
import { audienceOf, claimKeys, lastingKeys, tokenTags } from "../web-identity/claims.ts";
import { type Issuer, issuerKeys } from "../web-identity/issuer-keys.ts";

/** "Tokens must be signed using either RSA keys (RS256, RS384, or RS512) or ECDSA keys (ES256, ES384, or ES512)." */
const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
/** How far an issuer's clock may be ahead of ours. */
const CLOCK_SKEW_SECONDS = 300;
const SOURCE_IDENTITY = "https://aws.amazon.com/source_identity";
const ROLES = "https://aws.amazon.com/roles";
/** Issuers of sts:GetWebIdentityToken, whose tokens "cannot be used for OpenID Connect (OIDC) federation into AWS". */
const OWN_ISSUERS = /^https:\/\/[^/]+\.tokens\.sts\.global\.api\.aws$/;

interface Facts {
  readonly provider: string;
  readonly subject: string;
  readonly audience: string;
}

type Input = sdk.AssumeRoleWithWebIdentityCommand["input"];

export const AssumeRoleWithWebIdentity: OperationOf<sdk.AssumeRoleWithWebIdentityCommand> = {
  unsigned: true,
  identify: webIdentity,
  authorize: trustOf("sts:AssumeRoleWithWebIdentity"),
  async run(input, call) {
    const { provider, subject, audience } = signInOf<Facts>(call).facts;
    return {
      ...(await federatedSession(input, call)),
      SubjectFromWebIdentityToken: subject,
      Provider: provider,
      Audience: audience,
    };
  },
};

/** The error's words: those that users of GitHub Actions and EKS report. */
async function webIdentity(input: Input, call: Call) {
  const accountId = accountOfRole(input.RoleArn!);
  if (input.ProviderId !== undefined) {
    throw invalidIdentityToken("Only OpenID Connect tokens are taken: there is no provider of OAuth 2.0 access tokens");
  }
  const token = input.WebIdentityToken!;
  const { claims, kid } = decoded(token);
  const issuer = claims.iss!;
  const provider = await registeredProvider(call, accountId, issuer);
  await requireSignature(call, provider, token, kid);
  requireInTime(claims, Math.floor(call.now.getTime() / 1000));
  if (typeof claims.sub !== "string" || claims.sub === "") throw missing("sub");
  if (claims.aud === undefined && claims.azp === undefined) throw missing("aud");
  const audience = audienceOf(claims, provider.clientIds);
  if (audience === undefined) throw invalidIdentityToken("Incorrect token audience");
  const authorizedRoles = claims[ROLES];
  if (authorizedRoles !== undefined && ![authorizedRoles].flat().includes(input.RoleArn!)) {
    throw invalidIdentityToken("The identity provider has not authorized the token for this role");
  }
  const tags = tokenTags(claims);
  if (!tags) throw invalidIdentityToken("The token's session tags are malformed");
  requireTags(tags.Tags);

  const keys = claimKeys(issuer.replace(/^https:\/\//, ""), claims, audience);
  return federatedPrincipal<Facts>(
    "WebIdentityUser",
    accountId,
    `${provider.arn}:${audience}:${claims.sub}`,
    { provider: provider.arn, subject: claims.sub, keys: lastingKeys(keys) },
    {
      sessionName: input.RoleSessionName!,
      sourceIdentity: sourceIdentityOf(claims),
      tags,
      keys: { ...keys, "sts:roleauthorizedbyidp": String(authorizedRoles !== undefined) },
      facts: { provider: provider.arn, subject: claims.sub, audience },
    },
  );
}

function decoded(token: string): { claims: JWTPayload; kid: string | undefined } {
  const invalid = invalidIdentityToken(
    "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
  );
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const claims = decodeJwt(token);
    if (!ALGORITHMS.includes(alg ?? "") || typeof claims.iss !== "string") throw invalid;
    return { claims, kid };
  } catch {
    throw invalid;
  }
}

interface RegisteredProvider extends Issuer {
  readonly arn: string;
  readonly clientIds: readonly string[];
}

async function registeredProvider(call: Call, accountId: string, issuer: string): Promise<RegisteredProvider> {
  const iam = call.system.client(rootPrincipal(accountId), { accountId, region: call.region, db: call.db });
  const arn = `arn:aws:iam::${accountId}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;
  try {
    if (!issuer.startsWith("https://") || OWN_ISSUERS.test(issuer) || arn.length > 2048) throw noProvider(issuer);
    const provider = await iam.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: arn }));
    return {
      arn,
      url: issuer,
      clientIds: provider.ClientIDList ?? [],
      thumbprints: provider.ThumbprintList ?? [],
    };
  } catch (error) {
    if ((error as Error).name === "NoSuchEntityException") throw noProvider(issuer);
    throw error;
  }
}

function noProvider(issuer: string): Error {
  return invalidIdentityToken(`No OpenIDConnect provider found in your account for ${issuer}`);
}

async function requireSignature(call: Call, issuer: Issuer, token: string, kid: string | undefined): Promise<void> {
  try {
    const find = await issuerKeys(call.system).finder(issuer, kid, call.now);
    await compactVerify(token, find as never, { algorithms: ALGORITHMS });
  } catch (error) {
    call.system.log("info", "a web identity token was refused", { issuer: issuer.url, error: String(error) });
    if (error instanceof UnreachableError) {
      throw idpCommunicationError(`The identity provider ${issuer.url} could not be reached`);
    }
    if (error instanceof ThumbprintError) {
      throw invalidIdentityToken("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint");
    }
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw invalidIdentityToken("The signature of the identity token is not valid");
    }
    throw invalidIdentityToken(
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
}

function requireInTime({ exp, iat, nbf }: JWTPayload, now: number): void {
  if (typeof exp !== "number") throw missing("exp");
  if (typeof iat !== "number") throw missing("iat");
  if (now >= exp) {
    throw expiredToken(`Token expired: current date/time ${now} must be before the expiration date/time${exp}`);
  }
  if (iat > now + CLOCK_SKEW_SECONDS || (nbf !== undefined && !(nbf <= now + CLOCK_SKEW_SECONDS))) {
    throw invalidIdentityToken("The identity token is not valid yet");
  }
}

function missing(claim: string): Error {
  return invalidIdentityToken(`Missing a required claim: ${claim}`);
}

function sourceIdentityOf(claims: JWTPayload): string | undefined {
  const named = claims[SOURCE_IDENTITY];
  return checkedSourceIdentity(named === undefined ? undefined : String(named));
}
