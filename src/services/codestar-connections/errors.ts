/** The service's exceptions, in its words. */
import {
  LimitExceededException,
  ResourceNotFoundException,
  ResourceUnavailableException,
} from "@aws-sdk/client-codestar-connections";
import { WireError } from "#gateway/errors.ts";

const $metadata = {};

export const noConnection = (arn: string) =>
  new ResourceNotFoundException({
    Message: `Connection ${arn} not found`,
    message: `Connection ${arn} not found`,
    $metadata,
  });

export const noHost = (arn: string) =>
  new ResourceNotFoundException({ Message: `Host ${arn} not found`, message: `Host ${arn} not found`, $metadata });

export const noResource = (arn: string) =>
  new ResourceNotFoundException({
    Message: `Resource ${arn} not found`,
    message: `Resource ${arn} not found`,
    $metadata,
  });

export const hostInUse = (arn: string) => unavailable(`Host ${arn} is used by connections; delete them first`);

export const tooManyTags = () => limitExceeded("A resource can have no more than 200 tags");

/** Not in the model's lists of errors; the service answers it for what no single member's constraint says. */
export const invalid = (message: string) => new WireError("ValidationException", 400, message);

export const invalidToken = () => invalid("The NextToken is invalid");

function unavailable(message: string) {
  return new ResourceUnavailableException({ Message: message, message, $metadata });
}

function limitExceeded(message: string) {
  return new LimitExceededException({ Message: message, message, $metadata });
}
