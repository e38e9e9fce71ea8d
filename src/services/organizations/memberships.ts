/** Which organization an account is in and what that restricts: what the gateway asks on every request. */
import type { PolicyType } from "@aws-sdk/client-organizations";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Membership, Organizations, System } from "#gateway/context.ts";
import type { Database } from "#store/database.ts";
import { policyArn } from "./model.ts";
import { awsPolicy } from "./policy-types.ts";
import { findAccount } from "./store/accounts.ts";
import { type Place, placeOf } from "./store/memberships.ts";

/** Published after every change of an organization. */
export const ORGANIZATIONS_CHANGED = "organizations";

/** Those that change organizations: in them every account's standing is read, since only they know what they changed. */
const changingTransactions = new WeakSet<Database>();

/** Before `trx` changes an organization. */
export function willChange(trx: Database): void {
  changingTransactions.add(trx);
}

/** The types of policies that restrict what is done. */
const RESTRICTING: readonly PolicyType[] = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];

interface Standing {
  readonly membership: Membership | undefined;
  readonly closed: boolean;
}

interface Entry extends Standing {
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

  /**
   * `db` is the caller's transaction where it has one: what it changed counts, but is not remembered. Most transactions
   * change no organization, and know of it what everybody does.
   */
  membershipOf(accountId: string, db: Database = this.#db): Membership | undefined | Promise<Membership | undefined> {
    const standing = this.#standingOf(accountId, db);
    return standing instanceof Promise ? standing.then(({ membership }) => membership) : standing.membership;
  }

  isClosed(accountId: string, db: Database = this.#db): boolean | Promise<boolean> {
    const standing = this.#standingOf(accountId, db);
    return standing instanceof Promise ? standing.then(({ closed }) => closed) : standing.closed;
  }

  async knows(accountId: string, db: Database): Promise<boolean> {
    return (await findAccount(db, accountId)) !== undefined;
  }

  #standingOf(accountId: string, db: Database): Standing | Promise<Standing> {
    if (changingTransactions.has(db)) return this.#read(db, accountId);
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

  async #load(db: Database, accountId: string): Promise<Standing> {
    const generation = this.#generation;
    const standing = await this.#read(db, accountId);
    if (generation !== this.#generation) return standing;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.delete(accountId); // so that it counts as the youngest
    this.#entries.set(accountId, { ...standing, until: performance.now() + MAX_AGE_MS });
    return standing;
  }

  async #read(db: Database, accountId: string): Promise<Standing> {
    const place = await placeOf(db, accountId, RESTRICTING);
    return { membership: place && this.#membership(accountId, place), closed: place?.state === "CLOSED" };
  }

  #membership(accountId: string, { organization, levels }: Place): Membership | undefined {
    if (!organization) return undefined;
    const membership = {
      organizationId: organization.id,
      managementAccountId: organization.managementAccountId,
      path: `${[organization.id, ...levels.slice(0, -1).map(({ id }) => id)].join("/")}/`,
    };
    // "SCPs don't affect users or roles in the management account", and RCPs not its resources.
    if (accountId === organization.managementAccountId) return membership;
    const compiled = (kind: PolicyKind, type: PolicyType) =>
      levels.map(({ policies }) =>
        policies
          .filter((policy) => policy.type === type)
          .map(({ id, content }) => {
            // A policy of AWS's own has no content here, and no organization in its ARN.
            const organizationId = content === undefined ? undefined : organization.id;
            const arn = policyArn(organization, { id, type, organizationId });
            return this.#compile(kind, (content ?? awsPolicy(id)?.content)!, arn);
          }),
      );
    const { policyTypes } = organization;
    return {
      ...membership,
      ...(policyTypes.includes("SERVICE_CONTROL_POLICY") && { scps: compiled("scp", "SERVICE_CONTROL_POLICY") }),
      ...(policyTypes.includes("RESOURCE_CONTROL_POLICY") && {
        rcps: compiled("resource", "RESOURCE_CONTROL_POLICY"),
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
