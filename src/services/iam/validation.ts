/** How IAM words violated constraints: names and paths have sentences of their own. */
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

const PATHS: ReadonlySet<string> = new Set(["path", "newPath"]);

/** The name's sentence is given alone, as it is on AWS, where names are checked before everything else. */
export function validationSentence(found: readonly Violation[]): string {
  const unlike = (members: ReadonlySet<string>) =>
    found.find(({ path, pattern }) => pattern !== undefined && members.has(path));
  const name = unlike(NAMES);
  if (name) {
    return `The specified value for ${name.path} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
  }
  const path = unlike(PATHS);
  if (path) {
    return `The specified value for ${path.path} is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.`;
  }
  return validationMessage(found);
}
