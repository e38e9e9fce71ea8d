/** How IAM words violated constraints: names and paths have sentences of their own. */
import { type Violation, validationMessage } from "#gateway/validate.ts";

const NAME = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
/** https://github.com/aws-cloudformation/cfn-lint/issues/722 */
const PATH = "It must begin and end with / and contain only alphanumeric characters and/or / characters.";
/** https://github.com/aws/aws-cli/issues/5860 */
const PATH_PREFIX = "It must begin with the / character and contain only alphanumeric characters and/or / characters.";

const SENTENCES: ReadonlyMap<string, string> = new Map([
  ["groupName", NAME],
  ["instanceProfileName", NAME],
  ["newGroupName", NAME],
  ["newPath", PATH],
  ["newUserName", NAME],
  ["path", PATH],
  ["pathPrefix", PATH_PREFIX],
  ["policyName", NAME],
  ["roleName", NAME],
  ["userName", NAME],
]);

/** The name's sentence is given alone, as it is on AWS, where names are checked before everything else. */
export function validationSentence(found: readonly Violation[]): string {
  const own = found.find(({ path, pattern }) => pattern !== undefined && SENTENCES.has(path));
  if (!own) return validationMessage(found);
  return `The specified value for ${own.path} is invalid. ${SENTENCES.get(own.path)}`;
}
