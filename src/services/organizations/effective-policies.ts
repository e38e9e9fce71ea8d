/** The policies of one type that bind the accounts of an organization. */
import type { EffectivePolicyType } from "@aws-sdk/client-organizations";
import type { Database } from "#store/database.ts";
import { type Effective, effectivePolicy } from "./effective-policy.ts";
import { type EffectivePolicyError, errorsOf } from "./effective-policy-errors.ts";
import { Hierarchy } from "./hierarchy.ts";
import type { Member, Organization, Policy } from "./model.ts";
import { listAttachments, listOwnPolicies } from "./store/policies.ts";

export class EffectivePolicies {
  readonly tree: Hierarchy;
  readonly #type: EffectivePolicyType;
  /** By what they are attached to, in the order in which they were. */
  readonly #attached: ReadonlyMap<string, readonly Policy[]>;
  /** By the parent, of accounts that have no policy of their own. */
  readonly #inherited = new Map<string, readonly EffectivePolicyError[]>();

  private constructor(tree: Hierarchy, type: EffectivePolicyType, attached: ReadonlyMap<string, readonly Policy[]>) {
    this.tree = tree;
    this.#type = type;
    this.#attached = attached;
  }

  static async of(db: Database, organization: Organization, type: EffectivePolicyType): Promise<EffectivePolicies> {
    const policies = new Map((await listOwnPolicies(db, organization.id, { type })).map((each) => [each.id, each]));
    const attachments = await listAttachments(db, organization.id, { type });
    const attached = Map.groupBy(attachments, ({ targetId }) => targetId);
    const byTarget = Array.from(
      attached,
      ([targetId, items]) => [targetId, items.map(({ policyId }) => policies.get(policyId)!)] as const,
    );
    return new EffectivePolicies(await Hierarchy.of(db, organization), type, new Map(byTarget));
  }

  /** Of the root, each OU on the path and the account. */
  #levelsOf(accountId: string): (readonly Policy[])[] {
    return this.tree.lineageOf(accountId).map((id) => this.#attached.get(id) ?? []);
  }

  /** undefined where the account neither has nor inherits a policy of the type. */
  of(accountId: string): { readonly effective: Effective; readonly updatedAt: Date } | undefined {
    const levels = this.#levelsOf(accountId);
    const effective = effectivePolicy(levels);
    const updates = levels.flat().map(({ updatedAt }) => updatedAt.getTime());
    return effective && { effective, updatedAt: new Date(Math.max(...updates)) };
  }

  /** What is wrong with the account's effective policy; undefined where it has none. */
  errorsOf({ id, parentId }: Member): readonly EffectivePolicyError[] | undefined {
    const own = this.#attached.has(id);
    const known = own ? undefined : this.#inherited.get(parentId);
    if (known) return known;
    const effective = effectivePolicy(this.#levelsOf(id));
    const errors = effective && errorsOf(this.#type, effective);
    if (errors && !own) this.#inherited.set(parentId, errors);
    return errors;
  }
}
