/** How task definitions are named: `family`, `family:revision`, or the ARN with a revision. */
import type { Scope } from "./model.ts";

export interface TaskDefinitionReference {
  readonly family: string;
  /** undefined: the latest ACTIVE one. */
  readonly revision: number | undefined;
}

/** undefined where it names nothing that this account and region could have. */
export function parsedTaskDefinition(scope: Scope, reference: string): TaskDefinitionReference | undefined {
  const prefix = `arn:aws:ecs:${scope.region}:${scope.accountId}:task-definition/`;
  if (reference.startsWith("arn:") && !reference.startsWith(prefix)) return undefined;
  const name = reference.startsWith("arn:") ? reference.slice(prefix.length) : reference;
  const match = /^([A-Za-z0-9_-]{1,255})(?::([1-9]\d{0,8}))?$/.exec(name);
  if (!match) return undefined;
  return { family: match[1]!, revision: match[2] === undefined ? undefined : Number(match[2]) };
}
