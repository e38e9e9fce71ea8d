/** CodeBuild's modelled exceptions with the words that AWS uses. */
import {
  AccountLimitExceededException,
  InvalidInputException,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from "@aws-sdk/client-codebuild";

const $metadata = {};

export const invalidInput = (message: string) => new InvalidInputException({ message, $metadata });

export const alreadyExists = (message: string) => new ResourceAlreadyExistsException({ message, $metadata });

export const notFound = (message: string) => new ResourceNotFoundException({ message, $metadata });

export const projectNotFound = (arn: string) => notFound(`Project cannot be found: ${arn}`);

export const buildNotFound = (arn: string) => notFound(`Build cannot be found: ${arn}`);

export const limitExceeded = (message: string) => new AccountLimitExceededException({ message, $metadata });

/** The answer of a service to a call that its caller may not make, whatever the protocol calls it. */
export function isAccessDenied(error: unknown): error is Error {
  return error instanceof Error && /^AccessDenied(Exception)?$/.test(error.name);
}
