/**
 * The policy that a partner asks for: "AWS combines the template with your parameter values to generate a standard IAM
 * policy." https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation-partner-guide.html
 */
import type * as sdk from "@aws-sdk/client-iam";
import { invalidInput, overQuota } from "../errors.ts";
import { readPolicy } from "../policy-checks.ts";
import { parametersOf, RenderError, renderedPolicy, requireKnown } from "../templates/render.ts";
import type { Partner } from "./partners.ts";

/** "The final rendered policy has a maximum size limit of 2048 characters." */
const MAX_CHARACTERS = 2048;

/** JSON. Throws InvalidInput or LimitExceeded. */
export function requestedPolicy(
  { templates }: Partner,
  { PolicyTemplateArn = "", Parameters = [] }: sdk.DelegationPermission,
): string {
  const template = Object.hasOwn(templates, PolicyTemplateArn) ? templates[PolicyTemplateArn] : undefined;
  if (!template) throw invalidInput(`The policy template ${PolicyTemplateArn} is not registered for this account.`);
  const values = new Map(Parameters.map((parameter) => [parameter.Name ?? "", parameterValue(parameter)]));
  if (values.size < Parameters.length) throw invalidInput("A parameter is given twice.");
  const policy = rendered(template, values);
  if (policy === undefined) throw invalidInput("No statement of the policy template is enabled.");
  if (policy.length > MAX_CHARACTERS) throw overQuota("PermissionPolicySize", MAX_CHARACTERS);
  readPolicy(policy, "session");
  return policy;
}

/** "You must specify the type for each parameter." */
function parameterValue({ Name = "", Values = [], Type }: sdk.PolicyParameter): string | readonly string[] {
  if (Name === "") throw invalidInput("A parameter has no name.");
  if (Type === undefined) throw invalidInput(`The parameter ${Name} has no type.`);
  if (Type === "stringList") {
    if (Values.length === 0) throw invalidInput(`The parameter ${Name} has no value.`);
    return Values;
  }
  if (Values.length !== 1) {
    throw invalidInput(`The parameter ${Name} must have exactly one value, it has ${Values.length}.`);
  }
  return Values[0]!;
}

function rendered(template: Parameters<typeof renderedPolicy>[0], values: Parameters<typeof renderedPolicy>[1]) {
  try {
    requireKnown(values, parametersOf(template));
    return renderedPolicy(template, values);
  } catch (error) {
    if (error instanceof RenderError) throw invalidInput(`Failed to render template: ${error.message}`);
    throw error;
  }
}
