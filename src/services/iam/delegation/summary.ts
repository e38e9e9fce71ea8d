/**
 * What a delegation request asks for, as sentences. On AWS a language model writes it; here it is the rendered policy, said
 * statement by statement, with nothing added and nothing left out.
 */
import { parsePolicy, type Statement } from "#gateway/authz/policy-document.ts";
import { boundariesOf, type DelegationRequest } from "./model.ts";

export function summaryOf({ requestorAccountId, ownerAccountId, details }: DelegationRequest): string {
  const { requestorName, sessionSeconds, policy } = details;
  const account = ownerAccountId === undefined ? "the account that takes the request" : `account ${ownerAccountId}`;
  const boundaries = boundariesOf(policy);
  return [
    `${requestorName} (account ${requestorAccountId}) asks to act in ${account} for ${duration(sessionSeconds)}, with no more than the approver's own permissions. The request:`,
    ...parsePolicy(policy, "session").statements.map((statement) => `- ${sentence(statement)}`),
    ...(boundaries.length > 0 ? [`Permissions boundaries that it names: ${boundaries.join(", ")}.`] : []),
  ].join("\n");
}

function sentence(statement: Statement): string {
  const { effect, actions, notActions, resources, notResources, conditions } = statement;
  const what = actions ? actions.join(", ") : `everything but ${notActions!.join(", ")}`;
  const where = resources ? places(resources) : `all resources but ${notResources!.join(", ")}`;
  const when = conditions.map(({ operator, key, values }) => `${key} ${operator} ${values.join(", ")}`);
  return `${effect === "Allow" ? "allows" : "denies"} ${what} on ${where}${when.length > 0 ? `, if ${when.join(" and ")}` : ""}.`;
}

function places(resources: readonly string[]): string {
  return resources.includes("*") ? "all resources" : resources.join(", ");
}

function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor((seconds % 3600) / 60), "minute"],
    [seconds % 60, "second"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`)
    .join(" ");
}
