/** Names of load balancers and target groups: the same rules for both. */
import { validationError } from "./errors.ts";

const MAX_LENGTH = 32;

/** Throws ValidationError. */
export function requireName(kind: "Load balancer" | "Target group", name: string): void {
  if (name.length === 0) throw validationError(`${kind} name cannot be empty`);
  if (name.length > MAX_LENGTH)
    throw validationError(`${kind} name '${name}' cannot be longer than '${MAX_LENGTH}' characters`);
  if (!/^[A-Za-z0-9-]+$/.test(name)) {
    throw validationError(
      `${kind} name '${name}' can only contain characters that are alphanumeric characters or hyphens(-)`,
    );
  }
  if (name.startsWith("-") || name.endsWith("-")) {
    throw validationError(`${kind} name '${name}' cannot begin or end with '-'`);
  }
  if (kind === "Load balancer" && name.startsWith("internal-")) {
    throw validationError(`${kind} name '${name}' cannot begin with 'internal-'`);
  }
}
