/** What policies would allow, asked without doing it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import { accountOf } from "#gateway/authorize.ts";
import { compilePolicy } from "#gateway/authz/compile.ts";
import type { PrincipalView } from "#gateway/authz/evaluate.ts";
import type { Call } from "#gateway/context.ts";
import { isServiceLinkedRole } from "#gateway/guardrails.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { AttachedPolicy } from "../attached-documents.ts";
import { invalidInput } from "../errors.ts";
import { readPolicy } from "../policy-checks.ts";
import { contextOf } from "../simulation/context-entries.ts";
import { ExcludedPolicies } from "../simulation/excluded-policies.ts";
import { requireScenario } from "../simulation/resource-scenarios.ts";
import { type Simulation, simulated } from "../simulation/simulate.ts";
import { SimulatedPolicy } from "../simulation/simulated-policy.ts";
import { entityOfArn } from "./entity-of-arn.ts";
import { pageOf } from "./support.ts";

/** "If you do not include this parameter, the number of items defaults to 100." */
const MAX_ACTIONS = 100;
/** Of an action and a resource, in one page: "IAM might return fewer results, even when there are more results available." */
const MAX_COMBINATIONS = 2_000;

type Request = Omit<sdk.SimulateCustomPolicyRequest, "PolicyInputList">;

/**
 * The service control policies of the account count too, as far as they affect the one who is simulated. Resource control
 * policies do not: "Resource control policies (RCPs) are not supported in this release".
 */
export const SimulatePrincipalPolicy: OperationOf<sdk.SimulatePrincipalPolicyCommand> = {
  authorize: { action: "iam:SimulatePrincipalPolicy", resources: (input) => [input.PolicySourceArn!] },
  async run(input, call) {
    const source = await entityOfArn(call, input.PolicySourceArn!);
    const excluded = new ExcludedPolicies(input.PolicyExclusionList ?? []);
    const attached = source.identity.filter((policy) => !excluded.has(policy));
    return answered(input, {
      ...requested(input, callerOf(input.CallerArn ?? input.PolicySourceArn!, input.CallerArn)),
      identity: [
        ...attached.map((policy) => new SimulatedPolicy(sourceIdOf(policy), "IAM Policy", policy.document)),
        ...inputPolicies(input.PolicyInputList),
      ],
      boundary: boundaryOf(input) ?? (excluded.boundary ? undefined : boundaryPolicy(source.boundary)),
      scps: excluded.scps || isServiceLinkedRole(input.PolicySourceArn) ? undefined : await scpsOf(call),
    });
  },
};

export const SimulateCustomPolicy: OperationOf<sdk.SimulateCustomPolicyCommand> = {
  authorize: { action: "iam:SimulateCustomPolicy", resources: () => ["*"] },
  run(input, call) {
    if (input.ResourcePolicy !== undefined && input.CallerArn === undefined) {
      throw invalidInput("CallerArn is required when a ResourcePolicy is included.");
    }
    return answered(input, {
      ...requested(input, callerOf(input.CallerArn ?? callersArn(call), input.CallerArn)),
      identity: inputPolicies(input.PolicyInputList),
      boundary: boundaryOf(input),
      scps: givenScps(input.OrderedOrganizationPolicyInputList),
    });
  },
};

/** Of the account: one list per level of the organization; undefined where none apply. */
async function scpsOf(call: Call): Promise<Simulation["scps"]> {
  return (await call.system.organizations.membershipOf(call.accountId, call.db))?.scps;
}

/** One list per level likewise; undefined without a hierarchy. Throws InvalidInput for a malformed document. */
function givenScps(levels: readonly sdk.OrderedOrganizationPolicyType[] = []): Simulation["scps"] {
  if (levels.length === 0) return undefined;
  return levels.map(({ ServiceControlPolicyInputList = [] }) =>
    ServiceControlPolicyInputList.map((document) => compilePolicy(readPolicy(document, "scp"))),
  );
}

async function answered(request: Request, simulation: Simulation) {
  const { ActionNames = [], ResourceArns = ["*"] } = request;
  requireScenario(request.ResourceHandlingOption, ResourceArns);
  const places = ActionNames.map((action, index) => ({ action: checkedAction(action), index }));
  const MaxItems = Math.min(request.MaxItems ?? MAX_ACTIONS, Math.ceil(MAX_COMBINATIONS / ResourceArns.length));
  const page = await pageOf({ ...request, MaxItems }, places, ({ index }) => String(index).padStart(6, "0"));
  const { items, ...rest } = page;
  const results: sdk.EvaluationResult[] = [];
  for (const { action } of items) results.push(await simulated(action, ResourceArns, simulation));
  return { EvaluationResults: results, ...rest };
}

/** What both operations take from the request. */
function requested(
  request: Request,
  principal: PrincipalView,
): Pick<Simulation, "principal" | "resourcePolicy" | "resourceOwner" | "context"> {
  const { ResourcePolicy, ResourceOwner, ContextEntries = [] } = request;
  return {
    principal,
    resourcePolicy:
      ResourcePolicy === undefined
        ? undefined
        : new SimulatedPolicy("ResourcePolicy", "Resource Policy", ResourcePolicy),
    resourceOwner: ResourceOwner === undefined ? principal.accountId : ownerOf(ResourceOwner),
    context: contextOf(ContextEntries),
  };
}

function inputPolicies(documents: readonly string[] = []): SimulatedPolicy[] {
  return documents.map(
    (document, index) => new SimulatedPolicy(`PolicyInputList.${index + 1}`, "IAM Policy", document),
  );
}

/** "You can input only one permissions boundary when you pass a policy to this operation." */
function boundaryOf({
  PermissionsBoundaryPolicyInputList: [document, ...more] = [],
}: Request): SimulatedPolicy | undefined {
  if (more.length > 0) throw invalidInput("Only one permissions boundary policy can be included.");
  return boundaryPolicy(document);
}

function boundaryPolicy(document: string | undefined): SimulatedPolicy | undefined {
  if (document === undefined) return undefined;
  return new SimulatedPolicy("PermissionsBoundaryPolicyInputList.1", "IAM Policy", document);
}

/** A managed policy's name; of an inline policy "user_jill_ReadBuckets". */
function sourceIdOf({ name, arn, holder }: AttachedPolicy): string {
  return arn === undefined ? `${holder.kind}_${holder.name}_${name}` : name;
}

/** "You cannot specify the ARN of an assumed role, federated user, or a service principal." */
function callerOf(arn: string, given: string | undefined): PrincipalView {
  const [, accountId, kind] = /^arn:aws:iam::(\d{12}):(user|group|role|root)(?:\/.+)?$/.exec(arn) ?? [];
  if (accountId === undefined || (kind === "root" && given !== undefined)) {
    throw invalidInput(`The caller ARN ${arn} is not the ARN of a user, group or role.`);
  }
  if (kind === "role") return { type: "AssumedRole", arn, accountId, roleArn: arn };
  return { type: "User", arn, accountId };
}

/** Of the user, or the role of the session, that asks. */
function callersArn({ principal }: Call): string {
  return (
    principal.roleArn ??
    `arn:aws:iam::${principal.accountId}:${principal.type === "User" ? nameOf(principal.arn) : "root"}`
  );
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}

/** The ARN of an account's root, or its number. */
function ownerOf(owner: string): string {
  const accountId = /^\d{12}$/.test(owner)
    ? owner
    : /^arn:aws:iam::\d{12}:root$/.test(owner)
      ? accountOf(owner)
      : undefined;
  if (accountId === undefined) throw invalidInput(`The resource owner ${owner} is not an account.`);
  return accountId;
}

function checkedAction(action: string): string {
  if (!/^[\w-]+:[\w*?-]+$/.test(action)) throw invalidInput(`Invalid action: ${action}`);
  return action;
}
