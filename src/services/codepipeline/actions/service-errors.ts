/** What another service's error means to an action. */
import { WireError } from "#gateway/errors.ts";
import { ActionFailure } from "./action-provider.ts";

/** An answer of a service, as opposed to a fault of this process. */
export function isServiceError(error: unknown): error is Error {
  if (error instanceof WireError) return error.status < 500;
  return error instanceof Error && (error as { $fault?: string }).$fault === "client";
}

export function isAccessDenied(error: unknown): boolean {
  return isServiceError(error) && /^AccessDenied(Exception)?$/.test(error.name);
}

/**
 * Rethrows a service's error as the action's failure: `denied` says it for missing permissions, `otherwise` for the rest.
 * Faults pass unchanged, so that the action is tried again.
 */
export function failureOf(
  error: unknown,
  denied: (message: string) => string,
  otherwise: (error: Error) => ActionFailure = ({ message }) => new ActionFailure("JobFailed", message),
): unknown {
  if (isAccessDenied(error)) return new ActionFailure("PermissionError", denied((error as Error).message));
  return isServiceError(error) ? otherwise(error) : error;
}

/** "(Service: AWSCodeBuild; Status Code: 400; Error Code: ResourceNotFoundException)", as AWS ends such messages. */
export function serviceSuffix(service: string, error: Error): string {
  const modelled = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const status = error instanceof WireError ? error.status : (modelled ?? 400);
  return `(Service: ${service}; Status Code: ${status}; Error Code: ${error.name})`;
}
