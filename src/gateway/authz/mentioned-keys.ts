/** The context keys that a statement asks about, in conditions and as policy variables, as they are written. */
import { variableNames } from "./pattern.ts";
import type { Condition, Statement } from "./policy-document.ts";

/** `variables`: whether the policy can have any. */
export function resourceKeys({ resources, notResources }: Statement, variables: boolean): string[] {
  return variables ? [...(resources ?? []), ...(notResources ?? [])].flatMap(variableNames) : [];
}

export function conditionKeys({ key, values }: Condition, variables: boolean): string[] {
  return [key, ...(variables ? values.flatMap(variableNames) : [])];
}
