/** How IAM words violated constraints: names have a sentence of their own. */
import { type Violation, validationMessage } from "#gateway/validate.ts";

const NAMES: ReadonlySet<string> = new Set([
  "groupName",
  "instanceProfileName",
  "newGroupName",
  "newUserName",
  "policyName",
  "roleName",
  "userName",
]);

/** The name's sentence is given alone, as it is on AWS, where names are checked before everything else. */
export function validationSentence(found: readonly Violation[]): string {
  const name = found.find(({ path, pattern }) => pattern !== undefined && NAMES.has(path));
  if (!name) return validationMessage(found);
  return `The specified value for ${name.path} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
}
