/** Who an access key belongs to and what may be done with it: what the gateway asks on every request. */
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import type {
  CredentialsRecord,
  Identities,
  MfaVerdict,
  Organizations,
  Principal,
  PrincipalPolicies,
  System,
} from "#gateway/context.ts";
import { openSession, type Session, type SessionPolicy } from "#gateway/session-token.ts";
import type { Database } from "#store/database.ts";
import { AccessRecorder } from "./access-recorder.ts";
import { attachedDocuments } from "./attached-documents.ts";
import { IdentityCache } from "./identity-cache.ts";
import { LateNotes } from "./late-notes.ts";
import { verifyCode } from "./mfa.ts";
import { arnOf, nameOfArn } from "./model.ts";
import { withKnownPrincipals } from "./named-principals.ts";
import { samlPrivateKeys } from "./saml-keys.ts";
import { findAccessKey, updateLastUsed } from "./store/access-keys.ts";
import { findEntity } from "./store/entities.ts";

/** Published with the account's id after every change of its users, groups, roles, policies or keys. */
export const IDENTITIES_CHANGED = "iam";
/** The purpose under which secrets of long-term keys are sealed. */
export const SECRET_PURPOSE = "access-key";

export type IdentitiesDependencies = Pick<System, "db" | "cipher" | "bus" | "clock" | "config">;

/** A session's credentials with what the token says beside. */
interface SessionRecord extends CredentialsRecord {
  readonly accessKeyId: string;
  readonly expiration: number;
}

/** A federated user has at most the permissions of the user who made its session. */
export interface SessionPrincipal extends Principal {
  readonly issuer?: Session["issuer"];
}

const NO_POLICIES: PrincipalPolicies = { identity: [] };
const MAX_COMPILED = 5_000;

interface KeyUse {
  readonly accessKeyId: string;
  readonly at: Date;
  readonly service: string;
  readonly region: string;
}

async function putUses(db: Database, uses: readonly KeyUse[]): Promise<void> {
  for (const { accessKeyId, ...use } of uses) await updateLastUsed(db, accessKeyId, use);
}

export class IamIdentities implements Identities {
  readonly #system: IdentitiesDependencies;
  readonly #keys = new IdentityCache<CredentialsRecord>();
  readonly #sessions = new IdentityCache<SessionRecord>();
  readonly #policies = new IdentityCache<{ readonly accountId: string; readonly policies: PrincipalPolicies }>();
  /** By kind, ARN and text; shared by all who have the same policy. */
  readonly #compiled = new Map<string, CompiledPolicy>();
  readonly #uses: LateNotes<KeyUse>;
  readonly #accesses: AccessRecorder;
  readonly #unsubscribe: () => void;

  constructor(system: IdentitiesDependencies) {
    this.#system = system;
    this.#uses = new LateNotes(system.db, putUses);
    this.#accesses = new AccessRecorder(system.db);
    this.#unsubscribe = system.bus.subscribe(IDENTITIES_CHANGED, (accountId) => {
      this.#keys.forget(accountId);
      this.#policies.forget(accountId);
    });
  }

  async authenticate(
    accessKeyId: string,
    sessionToken: string | undefined,
    now: Date,
  ): Promise<CredentialsRecord | "unknown" | "invalid-token" | "expired"> {
    if (sessionToken !== undefined) return this.#authenticateSession(accessKeyId, sessionToken, now);
    const cached = this.#keys.get(accessKeyId);
    if (cached) return cached;
    const loaded = await this.#keys.load(
      accessKeyId,
      (record) => record.principal.accountId,
      () => this.#loadKey(accessKeyId),
    );
    return loaded ?? "unknown";
  }

  /** `db` is the caller's transaction where it has one: what it changed counts, but is not remembered. */
  async policiesOf(principal: Principal, db: Database = this.#system.db): Promise<PrincipalPolicies> {
    const holder = holderOf(principal);
    if (!holder) return isOfRoot(principal) ? { identity: [this.#compile(ALLOW_ALL, "identity")] } : NO_POLICIES;
    const cached = this.#policies.get(holder.userId);
    if (cached) return cached.policies;
    if (db.isTransaction) return this.#loadPolicies(db, holder);
    const loaded = await this.#policies.load(
      holder.userId,
      ({ accountId }) => accountId,
      async () => ({ accountId: holder.accountId, policies: await this.#loadPolicies(db, holder) }),
    );
    return loaded!.policies;
  }

  verifyMfa(principal: Principal, serialNumber: string, code: string, now: Date, db: Database): Promise<MfaVerdict> {
    return verifyCode(db, this.#system.cipher, principal, serialNumber, code, now);
  }

  withKnownPrincipals(
    document: string,
    accountId: string,
    db: Database,
    organizations: Pick<Organizations, "knows">,
  ): Promise<string> {
    const own = [accountId, this.#system.config.accountId];
    return withKnownPrincipals(db, document, async (id) => own.includes(id) || organizations.knows(id, db));
  }

  samlPrivateKeys(providerArn: string, db: Database): Promise<readonly string[]> {
    return samlPrivateKeys(this.#system.cipher, db, providerArn);
  }

  /** Only long-term keys are written down. */
  recordUse(accessKeyId: string, service: string, region: string, now: Date): void {
    if (!accessKeyId.startsWith("AKIA")) return;
    this.#uses.add(accessKeyId, { accessKeyId, at: now, service, region });
  }

  recordAccess(principal: Principal, action: string, region: string, now: Date): void {
    this.#accesses.record(principal, action, region, now);
  }

  async flush(db?: Database): Promise<void> {
    await this.#uses.flush(db);
    await this.#accesses.flush(db);
  }

  /** After the tables were emptied. */
  forgetAll(): void {
    for (const cache of [this.#keys, this.#sessions, this.#policies]) cache.clear();
    this.#uses.forget();
    this.#accesses.forget();
  }

  /** Before the database is closed. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.flush();
  }

  #authenticateSession(accessKeyId: string, token: string, now: Date): SessionRecord | "invalid-token" | "expired" {
    let record = this.#sessions.get(token);
    if (!record) {
      const session = openSession(this.#system.cipher, token);
      if (!session) return "invalid-token";
      record = this.#sessions.keep(token, session.principal.accountId, this.#toRecord(session));
    }
    if (record.accessKeyId !== accessKeyId) return "invalid-token";
    return record.expiration <= now.getTime() ? "expired" : record;
  }

  #toRecord(session: Session): SessionRecord {
    const { accessKeyId, secretAccessKey, expiration, issuedAt, policies, issuer } = session;
    const { transitiveTagKeys, mfaAuthenticatedAt } = session;
    const principal: SessionPrincipal = {
      ...session.principal,
      accessKeyId,
      sessionExpiration: new Date(expiration),
      ...(issuedAt !== undefined && { tokenIssueTime: new Date(issuedAt) }),
      ...(policies && { sessionPolicies: policies.map((policy) => this.#compileOfSession(policy)) }),
      ...(issuer && { issuer }),
      ...(transitiveTagKeys && { transitiveTagKeys }),
      ...(mfaAuthenticatedAt !== undefined && { mfaAuthenticatedAt: new Date(mfaAuthenticatedAt) }),
    };
    return { accessKeyId, secretAccessKey, expiration, principal };
  }

  async #loadKey(accessKeyId: string): Promise<CredentialsRecord | undefined> {
    const { db, cipher } = this.#system;
    const key = await findAccessKey(db, accessKeyId);
    if (key?.status !== "Active") return undefined;
    const secret = cipher.open(SECRET_PURPOSE, key.sealedSecret);
    if (!secret) throw new Error(`The secret of ${accessKeyId} was sealed with another master key`);
    const user = await findEntity(db, { accountId: key.accountId, kind: "user", name: key.userName });
    if (!user) return undefined;
    const principal: Principal = {
      type: "User",
      arn: arnOf(user),
      accountId: user.accountId,
      userId: user.id,
      accessKeyId,
      ...(user.tags.size > 0 && { tags: Object.fromEntries(user.tags) }),
    };
    return { secretAccessKey: secret.toString(), principal };
  }

  async #loadPolicies(db: Database, holder: PolicyHolder): Promise<PrincipalPolicies> {
    const found = await attachedDocuments(db, {
      accountId: holder.accountId,
      kind: holder.kind,
      name: nameOfArn(holder.arn),
    });
    // One of the same name that was made since is somebody else.
    if (found?.entity.id !== holder.userId) return { identity: [this.#compile(DENY_ALL, "identity")] };
    return {
      identity: found.identity.map(({ document, arn }) => this.#compile(document, "identity", arn)),
      ...(found.boundary !== undefined && {
        boundary: this.#compile(found.boundary, "boundary", found.entity.boundaryArn),
      }),
    };
  }

  #compileOfSession(policy: SessionPolicy): CompiledPolicy {
    const { document, arn } = typeof policy === "string" ? { document: policy } : policy;
    return this.#compile(document, "session", arn);
  }

  #compile(document: string, kind: PolicyKind, arn?: string): CompiledPolicy {
    const key = [kind, arn, document].join(" ");
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      compiled = compilePolicy(parsePolicy(document, kind), arn);
      if (this.#compiled.size >= MAX_COMPILED) this.#compiled.delete(this.#compiled.keys().next().value!);
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}

/**
 * Sessions outlive their user or role, which then has no policies; this keeps resource-based policies that name the
 * deleted one from letting them in.
 */
const DENY_ALL = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }],
});

/** What a federated user of the root has at most. */
const ALLOW_ALL = DENY_ALL.replace("Deny", "Allow");

interface PolicyHolder {
  readonly accountId: string;
  readonly kind: "user" | "role";
  readonly arn: string;
  readonly userId: string;
}

/** A federated user who was issued by no user. */
function isOfRoot({ type, issuer }: SessionPrincipal): boolean {
  return type === "FederatedUser" && issuer === undefined;
}

/** Whose policies count for the principal; undefined for those that have none: roots, services. */
function holderOf(principal: SessionPrincipal): PolicyHolder | undefined {
  const { accountId, userId } = principal;
  if (principal.type === "User") return { accountId, kind: "user", arn: principal.arn, userId };
  if (principal.type === "AssumedRole" && principal.roleArn !== undefined) {
    return { accountId, kind: "role", arn: principal.roleArn, userId: userId.slice(0, userId.indexOf(":")) };
  }
  if (principal.type === "FederatedUser" && principal.issuer) return { accountId, kind: "user", ...principal.issuer };
  return undefined;
}
