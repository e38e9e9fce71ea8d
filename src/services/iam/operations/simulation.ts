/** What policies would allow, asked without doing it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
import type * as sdk from "@aws-sdk/client-iam";
import { accountOf } from "#gateway/authorize.ts";
import { type CompiledPolicy, compilePolicy } from "#gateway/authz/compile.ts";
import { evaluate, type PrincipalView } from "#gateway/authz/evaluate.ts";
import { MalformedPolicyError, type PolicyKind, parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { attachedDocuments, managedDocuments } from "../attached-documents.ts";
import { invalidInput, noSuchEntity } from "../errors.ts";
import type { EntityKind } from "../model.ts";
import { nameOfArn } from "../model.ts";
import { listInlinePolicies } from "../store/inline-policies.ts";
import { listAttachments } from "../store/managed-policies.ts";
import { existing, pageOf, refOf } from "./support.ts";

interface Simulation {
  readonly principal: PrincipalView;
  readonly identity: readonly CompiledPolicy[];
  readonly boundary: readonly CompiledPolicy[];
  readonly resourcePolicy: CompiledPolicy | undefined;
}

type Request = Pick<
  sdk.SimulateCustomPolicyRequest,
  "ActionNames" | "ResourceArns" | "ContextEntries" | "Marker" | "MaxItems"
>;

export const SimulatePrincipalPolicy: OperationOf<sdk.SimulatePrincipalPolicyCommand> = {
  authorize: { action: "iam:SimulatePrincipalPolicy", resources: (input) => [input.PolicySourceArn!] },
  async run(input, call) {
    const source = await documentsOf(call, input.PolicySourceArn!);
    const boundaries = input.PermissionsBoundaryPolicyInputList ?? (source.boundary ? [source.boundary] : []);
    return simulated(input, call, {
      principal: callerView(input.CallerArn ?? input.PolicySourceArn!, call),
      identity: compiled([...source.identity, ...(input.PolicyInputList ?? [])], "identity"),
      boundary: compiled(boundaries, "boundary"),
      resourcePolicy: compiled(input.ResourcePolicy ? [input.ResourcePolicy] : [], "resource")[0],
    });
  },
};

export const SimulateCustomPolicy: OperationOf<sdk.SimulateCustomPolicyCommand> = {
  authorize: { action: "iam:SimulateCustomPolicy", resources: () => ["*"] },
  run: (input, call) =>
    simulated(input, call, {
      principal: callerView(input.CallerArn ?? call.principal.arn, call),
      identity: compiled(input.PolicyInputList!, "identity"),
      boundary: compiled(input.PermissionsBoundaryPolicyInputList ?? [], "boundary"),
      resourcePolicy: compiled(input.ResourcePolicy ? [input.ResourcePolicy] : [], "resource")[0],
    }),
};

async function simulated(request: Request, call: Call, simulation: Simulation) {
  const context = Object.fromEntries(
    (request.ContextEntries ?? [])
      .filter(({ ContextKeyName }) => ContextKeyName !== undefined)
      .map(({ ContextKeyName, ContextKeyValues = [] }) => [
        ContextKeyName!.toLowerCase(),
        ContextKeyValues.length === 1 ? ContextKeyValues[0] : ContextKeyValues,
      ]),
  );
  const results: sdk.EvaluationResult[] = [];
  for (const action of request.ActionNames!) {
    for (const resource of request.ResourceArns ?? ["*"]) {
      results.push(toResult(action, resource, context, call, simulation));
    }
  }
  const placed = results.map((result, index) => ({ result, place: String(index).padStart(6, "0") }));
  const { items, ...rest } = await pageOf(request, placed, ({ place }) => place);
  return { EvaluationResults: items.map(({ result }) => result), ...rest };
}

function toResult(
  action: string,
  resource: string,
  context: Parameters<typeof evaluate>[0]["context"],
  call: Call,
  { principal, identity, boundary, resourcePolicy }: Simulation,
): sdk.EvaluationResult {
  const resourceAccountId = accountOf(resource) || call.accountId;
  const decision = evaluate(
    { action, resource, resourceAccountId, principal, context },
    {
      identity,
      ...(boundary[0] && { boundary: boundary[0] }),
      ...(resourcePolicy && { resource: resourcePolicy }),
    },
  );
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: decision.allowed ? "allowed" : decision.explicit ? "explicitDeny" : "implicitDeny",
    MatchedStatements: [],
    MissingContextValues: [],
    ...(boundary[0] && {
      PermissionsBoundaryDecisionDetail: {
        AllowedByPermissionsBoundary: decision.allowed || decision.policyType !== "permissions boundary",
      },
    }),
  };
}

/** Of a user (with its groups), group or role. */
async function documentsOf(call: Call, arn: string) {
  const [, accountId, kind] = /^arn:aws:iam::(\d{12}):(user|group|role)\/./.exec(arn) ?? [];
  if (kind === undefined)
    throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`);
  if (accountId !== call.accountId) throw noSuchEntity(`Entity ${arn} does not exist.`);
  const ref = refOf(call, kind as EntityKind, nameOfArn(arn));
  if (kind !== "group") {
    const found = await attachedDocuments(call.db, ref);
    if (!found) throw noSuchEntity(`The ${kind} with name ${ref.name} cannot be found.`);
    return found;
  }
  const group = await existing(call.db, ref);
  const inline = (await listInlinePolicies(call.db, group)).map(({ document }) => document);
  const managed = await managedDocuments(call.db, accountId, await listAttachments(call.db, group));
  return { identity: [...inline, ...managed.values()], boundary: undefined };
}

function callerView(arn: string, call: Call): PrincipalView {
  const accountId = accountOf(arn) || call.accountId;
  if (/^arn:aws:iam::\d{12}:role\//.test(arn)) return { type: "AssumedRole", arn, accountId, roleArn: arn };
  return { type: "User", arn, accountId };
}

/** Throws InvalidInput. */
function compiled(documents: readonly string[], kind: PolicyKind): CompiledPolicy[] {
  return documents.map((document) => {
    try {
      return compilePolicy(parsePolicy(document, kind));
    } catch (error) {
      if (error instanceof MalformedPolicyError) throw invalidInput(error.message);
      throw error;
    }
  });
}
