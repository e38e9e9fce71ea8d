/** Which organization an account is in and what that restricts: what the gateway asks on every request. */
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Membership, Organizations, System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { Hierarchy } from "./hierarchy.ts";
import { type Account, type Attachment, policyArn } from "./model.ts";
import { awsPolicy } from "./policy-types.ts";
import { findAccount } from "./store/accounts.ts";
import { organizationOf } from "./store/organizations.ts";
import { listAttachments, listOwnPolicies } from "./store/policies.ts";
import { listUnits } from "./store/units.ts";

/** Published after every change of an organization. */
export const ORGANIZATIONS_CHANGED = "organizations";

interface Place {
  readonly membership: Membership | undefined;
  readonly closed: boolean;
}

interface Entry extends Place {
  /** Of the monotonic clock, milliseconds. */
  readonly until: number;
}

const MAX_ENTRIES = 10_000;
/** How long a policy that was detached can outlive a lost notification. */
const MAX_AGE_MS = 10_000;

/** Remembers accounts without an organization too: they are the rule. */
export class OrganizationMemberships implements Organizations {
  readonly #db: Database;
  readonly #entries = new Map<string, Entry>();
  /** By kind, ARN and text. */
  readonly #compiled = new Map<string, CompiledPolicy>();
  readonly #unsubscribe: () => void;
  /** Counts `forgetAll`: what was read before one must not be kept after it. */
  #generation = 0;

  constructor({ db, bus }: Pick<System, "db" | "bus">) {
    this.#db = db;
    this.#unsubscribe = bus.subscribe(ORGANIZATIONS_CHANGED, () => this.forgetAll());
  }

  /** `db` is the caller's transaction where it has one: what it changed counts, but is not remembered. */
  membershipOf(accountId: string, db: Database = this.#db): Membership | undefined | Promise<Membership | undefined> {
    const place = this.#placeOf(accountId, db);
    return place instanceof Promise ? place.then(({ membership }) => membership) : place.membership;
  }

  isClosed(accountId: string, db: Database = this.#db): boolean | Promise<boolean> {
    const place = this.#placeOf(accountId, db);
    return place instanceof Promise ? place.then(({ closed }) => closed) : place.closed;
  }

  #placeOf(accountId: string, db: Database): Place | Promise<Place> {
    const entry = this.#entries.get(accountId);
    if (entry !== undefined && entry.until > performance.now()) return entry;
    return db.isTransaction ? this.#read(db, accountId) : this.#load(db, accountId);
  }

  /** An organization has changed, or the tables were emptied. */
  forgetAll(): void {
    this.#generation++;
    this.#entries.clear();
    this.#compiled.clear();
  }

  /** Before the database is closed. */
  stop(): void {
    this.#unsubscribe();
  }

  async #load(db: Database, accountId: string): Promise<Place> {
    const generation = this.#generation;
    const place = await this.#read(db, accountId);
    if (generation !== this.#generation) return place;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.delete(accountId); // so that it counts as the youngest
    this.#entries.set(accountId, { ...place, until: performance.now() + MAX_AGE_MS });
    return place;
  }

  async #read(db: Database, accountId: string): Promise<Place> {
    const account = await findAccount(db, accountId);
    return { membership: account && (await this.#membership(db, account)), closed: account?.state === "CLOSED" };
  }

  async #membership(db: Database, account: Account): Promise<Membership | undefined> {
    const { id: accountId, organizationId, parentId } = account;
    if (organizationId === undefined || parentId === undefined) return undefined;
    const organization = (await organizationOf(db, accountId))!;
    const tree = new Hierarchy(organization, await listUnits(db, organizationId), [
      { ...account, organizationId, parentId },
    ]);
    const membership = {
      organizationId,
      managementAccountId: organization.managementAccountId,
      path: tree.pathOf(parentId),
    };
    // "SCPs don't affect users or roles in the management account", and RCPs not its resources.
    if (accountId === organization.managementAccountId) return membership;
    const levels = tree.lineageOf(accountId);
    const attachments = await listAttachments(db, organizationId, { targetIds: levels });
    const own = new Map((await listOwnPolicies(db, organizationId)).map((policy) => [policy.id, policy]));
    const compiled = (kind: PolicyKind, of: readonly Attachment[]) =>
      levels.map((level) =>
        of
          .filter(({ targetId }) => targetId === level)
          .map(({ policyId }) => (own.get(policyId) ?? awsPolicy(policyId))!)
          .map((policy) => this.#compile(kind, policy.content, policyArn(organization, policy))),
      );
    const ofType = (type: Attachment["type"]) => attachments.filter((attachment) => attachment.type === type);
    const { policyTypes } = organization;
    return {
      ...membership,
      ...(policyTypes.includes("SERVICE_CONTROL_POLICY") && {
        scps: compiled("scp", ofType("SERVICE_CONTROL_POLICY")),
      }),
      ...(policyTypes.includes("RESOURCE_CONTROL_POLICY") && {
        rcps: compiled("resource", ofType("RESOURCE_CONTROL_POLICY")),
      }),
    };
  }

  #compile(kind: PolicyKind, document: string, arn: string): CompiledPolicy {
    const key = [kind, arn, document].join(" ");
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      compiled = compilePolicy(parsePolicy(document, kind), arn);
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}
