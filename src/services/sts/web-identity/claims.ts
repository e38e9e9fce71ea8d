/**
 * What a web identity token's claims mean to AWS.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
import type { Tag } from "@aws-sdk/client-sts";
import type { JWTPayload } from "jose";
import type { ContextKeys } from "#gateway/operation.ts";

/** Claims that AWS makes condition keys of for everybody's issuers. */
const COMMON_CLAIMS = ["sub", "amr", "email"] as const;
/** They stay with the session; the others count for the role's trust policy only. */
const LASTING: ReadonlySet<string> = new Set(["aud", "sub", "amr"]);

const GITHUB_CLAIMS = [
  "actor",
  "actor_id",
  "enterprise_id",
  "environment",
  "job_workflow_ref",
  "ref",
  "repository",
  "repository_id",
  "repository_owner_id",
  "workflow",
];
const GITLAB_CLAIMS = [
  "namespace_id",
  "pipeline_source",
  "project_id",
  "ref_protected",
  "runner_environment",
  "user_access_level",
  "user_email",
  "user_id",
  "user_login",
];
const BUILDKITE_CLAIMS = [
  "build_branch",
  "cluster_id",
  "cluster_name",
  "organization_id",
  "organization_slug",
  "pipeline_id",
  "pipeline_slug",
];

/** Issuers that AWS knows more claims of: its service authorization reference for STS lists them. */
const FURTHER_CLAIMS: readonly (readonly [issuer: RegExp, claims: readonly string[]])[] = [
  [/^token\.actions\.githubusercontent\.com(\/.+)?$/, GITHUB_CLAIMS],
  [/^token\.actions\.[a-z0-9-]+\.ghe\.com$/, GITHUB_CLAIMS],
  [/^gitlab\.com$/, GITLAB_CLAIMS],
  [/^agent\.([a-z0-9-]+\.)?buildkite\.(com|dev|site)$/, BUILDKITE_CLAIMS],
  [/^oidc\.circleci\.com\/org\/[^/]+$/, ["oidc.circleci.com/project-id"]],
  [/^idcs-[a-z0-9]+\.identity\.oraclecloud\.com$/, ["rpst_id"]],
];

/** `aud` is who the token was issued to where it says so (`azp`); then `oaud` is whom it is for. */
export function audienceOf({ aud, azp }: JWTPayload, clientIds: readonly string[]): string | undefined {
  const named = typeof azp === "string" ? [azp] : [aud ?? []].flat();
  return named.find((audience) => clientIds.includes(audience));
}

/** In lower case, as all condition keys are compared. `issuer` is without its scheme. */
export function claimKeys(issuer: string, claims: JWTPayload, audience: string): ContextKeys {
  const further = FURTHER_CLAIMS.filter(([pattern]) => pattern.test(issuer)).flatMap(([, names]) => names);
  const values: [string, string | readonly string[] | undefined][] = [
    ["aud", audience],
    ["oaud", typeof claims.azp === "string" ? texts(claims.aud) : audience],
    ...[...COMMON_CLAIMS, ...further].map((name): [string, string | readonly string[] | undefined] => [
      name,
      texts(claims[name]),
    ]),
  ];
  return Object.fromEntries(
    values
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`${issuer}:${name}`.toLowerCase(), value]),
  );
}

/** Those that go along to what the session does. */
export function lastingKeys(keys: ContextKeys): Record<string, string | readonly string[]> {
  const lasting = Object.entries(keys).filter(([key]) => LASTING.has(key.slice(key.lastIndexOf(":") + 1)));
  return Object.fromEntries(lasting) as Record<string, string | readonly string[]>;
}

const TAGS = "https://aws.amazon.com/tags";

export interface TokenTags {
  readonly Tags: Tag[];
  readonly TransitiveTagKeys: string[];
}

/** undefined where the claim has another form than AWS's, nested or flattened. */
export function tokenTags(claims: JWTPayload): TokenTags | undefined {
  const nested = claims[TAGS] ?? {};
  if (!isObject(nested)) return undefined;
  const flattened = Object.entries(claims)
    .filter(([name]) => name.startsWith(`${TAGS}/principal_tags/`))
    .map(([name, value]) => [name.slice(`${TAGS}/principal_tags/`.length), value] as const);
  const principalTags = nested.principal_tags ?? {};
  const transitive = nested.transitive_tag_keys ?? claims[`${TAGS}/transitive_tag_keys`] ?? [];
  if (!isObject(principalTags) || !isTexts(transitive)) return undefined;
  const Tags: Tag[] = [];
  for (const [Key, value] of [...Object.entries(principalTags), ...flattened]) {
    const [Value, ...more] = [value].flat();
    if (typeof Value !== "string" || more.length > 0) return undefined; // a session tag has one value
    Tags.push({ Key, Value });
  }
  return { Tags, TransitiveTagKeys: transitive };
}

function texts(value: unknown): string | readonly string[] | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  return isTexts(value) ? value : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
