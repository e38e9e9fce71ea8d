/** Policies that a simulation leaves out. https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyIdentifier.html */
import type * as sdk from "@aws-sdk/client-iam";
import { matchesWildcard, toWildcard } from "#gateway/authz/wildcard.ts";
import type { AttachedPolicy } from "../attached-documents.ts";
import { isAwsManaged } from "../aws-managed-policies.ts";
import { invalidInput } from "../errors.ts";

const POLICY_ARN = /^arn:aws:iam::(?:\d{12}|aws):policy\/[^:]+$/;

/** Throws InvalidInput for malformed identifiers. Those that match nothing, and those of RCPs, are ignored. */
export class ExcludedPolicies {
  readonly #types: ReadonlySet<string>;
  readonly #arns: readonly string[];
  readonly #inline: readonly sdk.InlinePolicyIdentifierType[];

  constructor(identifiers: readonly sdk.PolicyIdentifier[]) {
    this.#types = new Set(identifiers.map(({ PolicyType }) => PolicyType as string));
    this.#arns = identifiers.flatMap(({ PolicyArn }) => PolicyArn ?? []);
    this.#inline = identifiers.flatMap(({ InlinePolicyIdentifier }) => InlinePolicyIdentifier ?? []);
    for (const arn of this.#arns) {
      if (!POLICY_ARN.test(arn) || hasTwoAsterisks(arn)) throw invalidInput(`The policy ARN ${arn} is not valid.`);
    }
    for (const { AttachmentName = "" } of this.#inline) {
      if (hasTwoAsterisks(AttachmentName)) throw invalidInput(`The attachment name ${AttachmentName} is not valid.`);
    }
  }

  get boundary(): boolean {
    return this.#types.has("permission-boundary");
  }

  get scps(): boolean {
    return this.#types.has("scp");
  }

  has({ arn, name, holder }: AttachedPolicy): boolean {
    if (arn !== undefined) {
      const type = isAwsManaged(arn) ? "aws-managed" : "user-managed";
      return this.#types.has(type) || this.#arns.some((pattern) => matches(pattern, arn));
    }
    const named = this.#inline.some(
      ({ PolicyName, AttachmentType, AttachmentName = "" }) =>
        PolicyName === name && AttachmentType === holder.kind && matches(AttachmentName, holder.name),
    );
    return named || this.#types.has("inline");
  }
}

function hasTwoAsterisks(pattern: string): boolean {
  return pattern.indexOf("*") !== pattern.lastIndexOf("*");
}

function matches(pattern: string, text: string): boolean {
  return matchesWildcard(toWildcard(pattern), text);
}
