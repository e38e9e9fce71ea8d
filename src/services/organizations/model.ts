/** Organizations' nouns, their ARNs, and how the API shows them. */
import type * as sdk from "@aws-sdk/client-organizations";

export type Tags = ReadonlyMap<string, string>;

export interface Organization {
  readonly id: string;
  readonly managementAccountId: string;
  readonly featureSet: sdk.OrganizationFeatureSet;
  readonly rootId: string;
  readonly rootTags: Tags;
  /** Enabled in the root, in the order in which they were enabled. */
  readonly policyTypes: readonly sdk.PolicyType[];
}

export interface Unit {
  readonly id: string;
  readonly organizationId: string;
  readonly parentId: string;
  readonly name: string;
  readonly tags: Tags;
}

/** An account that Organizations knows: it is in an organization, or was. */
export interface Account {
  readonly id: string;
  /** undefined: it has left. */
  readonly organizationId: string | undefined;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly email: string;
  readonly state: "ACTIVE" | "PENDING_CLOSURE" | "CLOSED";
  readonly joinedMethod: sdk.AccountJoinedMethod;
  readonly joinedAt: Date;
  readonly closedAt: Date | undefined;
  readonly tags: Tags;
}

/** An account that is in an organization. */
export type Member = Account & { readonly organizationId: string; readonly parentId: string };

/**
 * What is known of an account that CreateAccount did not make. On AWS it would have been signed up for with a name and an
 * address; here it only has its number.
 */
export function unnamedAccount(id: string): Pick<Account, "id" | "name" | "email"> {
  return { id, name: `Account ${id}`, email: `account-${id}@slipway.internal` };
}

/** The account of an address that `unnamedAccount` gives. */
export function accountOfUnnamedEmail(email: string): string | undefined {
  return /^account-(\d{12})@slipway\.internal$/i.exec(email)?.[1];
}

export interface AccountRequest {
  readonly id: string;
  readonly organizationId: string;
  readonly accountName: string;
  readonly email: string;
  readonly roleName: string;
  readonly tags: Tags;
  readonly state: sdk.CreateAccountState;
  readonly failureReason: sdk.CreateAccountFailureReason | undefined;
  readonly accountId: string | undefined;
  readonly requestedAt: Date;
  readonly completedAt: Date | undefined;
}

export interface Policy {
  readonly id: string;
  /** undefined: AWS's own. */
  readonly organizationId: string | undefined;
  readonly type: sdk.PolicyType;
  readonly name: string;
  readonly description: string;
  /** JSON, as it was put. */
  readonly content: string;
  readonly updatedAt: Date;
  readonly tags: Tags;
}

export interface Attachment {
  readonly targetId: string;
  readonly policyId: string;
  readonly type: sdk.PolicyType;
}

export interface Handshake {
  readonly id: string;
  readonly organizationId: string;
  /** Who sent it. */
  readonly managementAccountId: string;
  readonly action: sdk.ActionType;
  /** As stored; `stateOf` knows whether it has expired. */
  readonly state: sdk.HandshakeState;
  /** Who may accept or decline it; undefined: nobody, it only gathers others. */
  readonly accountId: string | undefined;
  readonly parties: readonly sdk.HandshakeParty[];
  readonly parentId: string | undefined;
  readonly resources: readonly sdk.HandshakeResource[];
  /** Given to the account when it joins. */
  readonly tags: Tags;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | undefined;
}

export interface Delegation {
  readonly accountId: string;
  readonly servicePrincipal: string;
  readonly enabledAt: Date;
}

export interface ResourcePolicy {
  readonly id: string;
  readonly content: string;
  readonly tags: Tags;
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html#awsorganizations-resources-for-iam-policies */
export function arnOf(organization: Pick<Organization, "id" | "managementAccountId">, resource: string): string {
  const [kind, rest] = splitOnce(resource, "/");
  const place = rest === "" ? organization.id : `${organization.id}/${rest}`;
  return `arn:aws:organizations::${organization.managementAccountId}:${kind}/${place}`;
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

export const organizationArn = (organization: Organization) => arnOf(organization, "organization");
export const accountArn = (organization: Organization, accountId: string) =>
  arnOf(organization, `account/${accountId}`);

/** Of a root, OU or account by its id. */
export function entityArn(organization: Organization, id: string): string {
  return arnOf(organization, `${id.startsWith("r-") ? "root" : id.startsWith("ou-") ? "ou" : "account"}/${id}`);
}

export function policyArn(
  organization: Parameters<typeof arnOf>[0],
  policy: Pick<Policy, "id" | "type" | "organizationId">,
): string {
  const type = policy.type.toLowerCase();
  if (policy.organizationId === undefined) return `arn:aws:organizations::aws:policy/${type}/${policy.id}`;
  return arnOf(organization, `policy/${type}/${policy.id}`);
}

export function handshakeArn(handshake: Handshake): string {
  const { managementAccountId, organizationId, action, id } = handshake;
  return `arn:aws:organizations::${managementAccountId}:handshake/${organizationId}/${action.toLowerCase()}/${id}`;
}

export function toOrganization(organization: Organization, management: Account): sdk.Organization {
  return {
    Id: organization.id,
    Arn: organizationArn(organization),
    FeatureSet: organization.featureSet,
    MasterAccountArn: accountArn(organization, management.id),
    MasterAccountId: management.id,
    MasterAccountEmail: management.email,
    // "It doesn't include any policy type supported by Organizations other than SCPs."
    AvailablePolicyTypes:
      organization.featureSet === "ALL" ? [{ Type: "SERVICE_CONTROL_POLICY", Status: "ENABLED" }] : [],
  };
}

export function toRoot(organization: Organization): sdk.Root {
  return {
    Id: organization.rootId,
    Arn: entityArn(organization, organization.rootId),
    Name: "Root",
    PolicyTypes: organization.policyTypes.map((Type) => ({ Type, Status: "ENABLED" })),
  };
}

/** `path`: of the parent, with the slash at its end. */
export function toUnit(organization: Organization, unit: Unit, path: string): sdk.OrganizationalUnit {
  return { Id: unit.id, Arn: entityArn(organization, unit.id), Name: unit.name, Path: `${path}${unit.id}/` };
}

/** `path`: of the parent, with the slash at its end. */
export function toAccount(organization: Organization, account: Account, path: string): sdk.Account {
  return {
    Id: account.id,
    Arn: accountArn(organization, account.id),
    Email: account.email,
    Name: account.name,
    Status: account.state === "CLOSED" ? "SUSPENDED" : account.state,
    State: account.state,
    Paths: [`${path}${account.id}/`],
    JoinedMethod: account.joinedMethod,
    JoinedTimestamp: account.joinedAt,
  };
}

export function toAccountStatus(request: AccountRequest): sdk.CreateAccountStatus {
  return {
    Id: request.id,
    AccountName: request.accountName,
    State: request.state,
    RequestedTimestamp: request.requestedAt,
    ...(request.completedAt && { CompletedTimestamp: request.completedAt }),
    ...(request.state === "SUCCEEDED" && { AccountId: request.accountId }),
    ...(request.failureReason && { FailureReason: request.failureReason }),
  };
}

export function toPolicySummary(organization: Organization, policy: Policy): sdk.PolicySummary {
  return {
    Id: policy.id,
    Arn: policyArn(organization, policy),
    Name: policy.name,
    Description: policy.description,
    Type: policy.type,
    AwsManaged: policy.organizationId === undefined,
  };
}

export function toHandshake(handshake: Handshake, now: Date): sdk.Handshake {
  return {
    Id: handshake.id,
    Arn: handshakeArn(handshake),
    Parties: [...handshake.parties],
    State: stateOf(handshake, now),
    RequestedTimestamp: handshake.requestedAt,
    ExpirationTimestamp: handshake.expiresAt,
    Action: handshake.action,
    Resources: [...handshake.resources],
  };
}

/** Whether it still waits for somebody. */
export function isPending({ state }: Pick<Handshake, "state">): boolean {
  return state === "OPEN" || state === "REQUESTED";
}

export function stateOf(handshake: Handshake, now: Date): sdk.HandshakeState {
  return isPending(handshake) && handshake.expiresAt <= now ? "EXPIRED" : handshake.state;
}

export function toTagList(tags: Tags): sdk.Tag[] {
  return Array.from(tags, ([Key, Value]) => ({ Key, Value }));
}
