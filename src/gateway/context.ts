/**
 * What every operation, data plane and runner is handed: the running system, and the call it serves.
 * Nothing in Slipway keeps module-level state; it all hangs off `System`, which `main.ts` wires.
 */
import type { Engine } from "#engines/engine.ts";
import type { BlobStore } from "#store/blobs/blob-store.ts";
import type { Bus } from "#store/bus.ts";
import type { Database } from "#store/database.ts";
import type { Work } from "#store/work.ts";
import type { Audit } from "./audit.ts";
import type { CompiledPolicy } from "./authz/compile.ts";
import type { PrincipalView } from "./authz/evaluate.ts";
import type { Cipher } from "./cipher.ts";
import type { Client } from "./client.ts";

export interface Config {
  /** Everything Slipway keeps on disk. */
  readonly dataDir: string;
  readonly port: number;
  /** The account and region of the first administrator and of `slipway env`. */
  readonly accountId: string;
  readonly region: string;
  /** Loopback only: any key pair is taken; a 12-digit access key id is its account. */
  readonly acceptAnyCredentials: boolean;
  /** `POST /_slipway/reset` is answered. */
  readonly allowReset: boolean;
  /** Unique per data folder; labels containers so that two Slipways on one engine do not see each other's. */
  readonly instance: string;
  /**
   * Where connections find repositories: a folder or URL that holds `OWNER/REPO(.git)` per provider type in lower case
   * ("github"); undefined means the provider's own site.
   */
  readonly providerEndpoints: Readonly<Record<string, string | undefined>>;
}

/** Injected so that tests decide what time it is. */
export interface Clock {
  now(): Date;
}

/** Who makes a call. */
export interface Principal extends PrincipalView {
  /** AIDA… of a user, AROA…:session of a role session, the account id of the root. */
  readonly userId: string;
  /** undefined for calls that carry no credentials (service principals). */
  readonly accessKeyId: string | undefined;
  readonly sessionName?: string;
  /** The session's own policies, compiled; present only where the session was made with some. */
  readonly sessionPolicies?: readonly CompiledPolicy[];
  /** `aws:PrincipalTag/…` without the prefix. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly sessionExpiration?: Date;
  /** When the session's user proved an MFA device; absent where none was. */
  readonly mfaAuthenticatedAt?: Date;
  /** `aws:TokenIssueTime`, by which sessions are revoked. */
  readonly tokenIssueTime?: Date;
  readonly sourceIdentity?: string;
  /** Of `tags`, those that go on to sessions which this one makes. */
  readonly transitiveTagKeys?: readonly string[];
  /** Condition keys that the service which made the session gave it: `codebuild:projectArn`. In lower case. */
  readonly sessionKeys?: Readonly<Record<string, string>>;
  /** Of who signs in at an identity provider, and of the sessions that come of it. */
  readonly federation?: Federation;
}

export interface Federation {
  /** The provider's ARN in IAM. */
  readonly provider: string;
  /** Whom the provider vouches for. */
  readonly subject: string;
  /** Condition keys that stay with the session, in lower case: `ISSUER:sub`, `saml:sub`. */
  readonly keys: Readonly<Record<string, string | readonly string[]>>;
}

export interface CredentialsRecord {
  readonly secretAccessKey: string;
  readonly principal: Principal;
}

/** What the gateway needs of IAM and STS; implemented in services/iam and wired by main.ts. */
export interface Identities {
  /**
   * The secret and principal behind an access key. "unknown": no such key, or it is inactive. "invalid-token": the
   * session token is not ours or not for this key. "expired": it was.
   */
  authenticate(
    accessKeyId: string,
    sessionToken: string | undefined,
    now: Date,
  ): Promise<CredentialsRecord | "unknown" | "invalid-token" | "expired">;
  /**
   * Everything that is attached to the principal: identity policies and boundary. Compiled and cached. `db` is the
   * call's: inside a transaction nothing may be read around it.
   */
  policiesOf(principal: Principal, db?: Database): Promise<PrincipalPolicies>;
  /** Takes a code of the calling user's MFA device; each code counts once. */
  verifyMfa?(principal: Principal, serialNumber: string, code: string, now: Date, db: Database): Promise<MfaVerdict>;
  /** The private keys, PEM, that a SAML provider's assertions may be encrypted for; IAM's API never tells them. */
  samlPrivateKeys?(providerArn: string, db: Database): Promise<readonly string[]>;
  /**
   * A resource-based policy of the account, which has been parsed, as it is to be stored: `policyToStore` says how. Throws
   * UnknownPrincipalError. `organizations` says of accounts in which there is nobody yet whether they are here.
   */
  withKnownPrincipals?(
    document: string,
    accountId: string,
    db: Database,
    organizations: Pick<Organizations, "knows">,
  ): Promise<string>;
  /** Notes that a key was used, for GetAccessKeyLastUsed. Never awaited. */
  recordUse?(accessKeyId: string, service: string, region: string, now: Date): void;
  /** Notes that a principal tried an action ("codebuild:StartBuild"), allowed or not. Never awaited. */
  recordAccess?(principal: Principal, action: string, region: string, now: Date): void;
  /** Writes down at once what was noted so far; a report that follows a call tells of that call. */
  flush?(db: Database): Promise<void>;
}

/** "unknown-device": there is no such device, or it is not enabled for the user who calls. */
export type MfaVerdict = "verified" | "wrong-code" | "unknown-device";

export interface PrincipalPolicies {
  readonly identity: readonly CompiledPolicy[];
  readonly boundary?: CompiledPolicy;
}

/** What the gateway needs of Organizations; implemented in services/organizations and wired by main.ts. */
export interface Organizations {
  /**
   * The account's place in its organization; undefined for accounts without one. Cached; a Promise only where it must be
   * read. `db` is the call's: inside a transaction nothing may be read around it.
   */
  membershipOf(accountId: string, db?: Database): Membership | undefined | Promise<Membership | undefined>;
  /** As `membershipOf`. A closed account stays closed when it is no longer part of its organization. */
  isClosed(accountId: string, db?: Database): boolean | Promise<boolean>;
  /** Whether the account is or was in an organization here. Not cached. */
  knows(accountId: string, db: Database): Promise<boolean>;
}

/** An account in an organization. */
export interface Membership {
  readonly organizationId: string;
  readonly managementAccountId: string;
  /** Organization, root and OUs down to the account's own parent: `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/`. */
  readonly path: string;
  /** Of the root, each OU on the path and the account; absent for the management account and where the type is disabled. */
  readonly scps?: readonly (readonly CompiledPolicy[])[];
  /** As `scps`, for what may be done to the account's resources. */
  readonly rcps?: readonly (readonly CompiledPolicy[])[];
}

export interface System {
  readonly config: Config;
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly engine: Engine;
  readonly bus: Bus;
  readonly work: Work;
  readonly clock: Clock;
  readonly cipher: Cipher;
  readonly identities: Identities;
  readonly organizations: Organizations;
  readonly audit: Audit;
  /** Calls operations in this process as `principal`: the same authorize, audit and handler, without HTTP. */
  client(principal: Principal, scope: CallScope): Client;
  /** The principal behind credentials that this system issued, for acting as a role that was assumed. */
  principalOf(credentials: { AccessKeyId?: string; SessionToken?: string }): Promise<Principal>;
  /**
   * Where containers reach this process. The first call prepares the engine's network and listens on its addresses;
   * throws EngineUnavailableError while there is no engine.
   */
  containerGateway(): Promise<{ host: string; port: number }>;
  /** The local certificate authority with the host's own roots, PEM: what containers need to trust. */
  caBundle(): string;
  /** The tags of any service's resource; undefined where there is no such resource, or it has none. */
  resourceTags(arn: string, call: Call): Promise<Readonly<Record<string, string>> | undefined>;
  /** In the policies of all services; in the transaction in which `principal`, an ARN, becomes `by`. */
  replacePrincipal(trx: Database, principal: string, by: string): Promise<void>;
  log(level: "info" | "warn" | "error", message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface CallScope {
  readonly accountId: string;
  readonly region: string;
  /** A transaction that the called operations shall join. */
  readonly db?: Database;
  /** `aws:SourceArn` and `aws:SourceAccount` of service principals; recorded in the audit trail too. */
  readonly sourceArn?: string;
  /** Of a service that assumes a role: condition keys for everything that the session does. */
  readonly sessionKeys?: Readonly<Record<string, string>>;
  /** `aws:CalledVia`: the services through which the principal makes the call, the first one first; never empty. */
  readonly calledVia?: readonly string[];
  /** Where a data plane's request came from, for conditions and the audit trail; absent for calls that begin inside. */
  readonly origin?: { readonly sourceIp: string; readonly secureTransport: boolean; readonly userAgent: string };
}

/** One operation being served. */
export interface Call extends CallScope {
  readonly system: System;
  /** The system's database, or the caller's transaction. */
  readonly db: Database;
  readonly principal: Principal;
  readonly requestId: string;
  readonly now: Date;
  /** "127.0.0.1"; a service's name for calls made inside. */
  readonly sourceIp: string;
  readonly secureTransport: boolean;
  readonly userAgent: string;
  /** What the wire request carried and no modelled member does; S3's handlers need it. */
  readonly http?: {
    readonly method: string;
    readonly host: string;
    readonly path: string;
    /** As it was sent: percent-encoded, without the question mark. */
    readonly query: string;
    /** "1.3"; undefined without TLS. */
    readonly tlsVersion: string | undefined;
    readonly headers: Readonly<Record<string, string | undefined>>;
  };
}

/** Whoever calls without a signature, as far as nothing else says who that is. */
export function anonymousPrincipal(accountId: string): Principal {
  return { type: "Anonymous", arn: "anonymous", accountId, userId: "anonymous", accessKeyId: undefined };
}

/** The principal of an AWS service acting for itself, as in a role's trust policy. */
export function servicePrincipal(service: string, accountId: string): Principal {
  return { type: "Service", arn: service, accountId, userId: service, accessKeyId: undefined, service };
}

/**
 * The account's root: allowed everything in the account except what an SCP or a resource policy denies. Without an access
 * key it is Slipway itself that looks something up, which no SCP restricts.
 */
export function rootPrincipal(accountId: string, accessKeyId?: string): Principal {
  return { type: "Root", arn: `arn:aws:iam::${accountId}:root`, accountId, userId: accountId, accessKeyId };
}
