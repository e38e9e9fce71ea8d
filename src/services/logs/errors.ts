/** CloudWatch Logs' modelled exceptions, in its own words. */
import {
  InvalidParameterException,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  TooManyTagsException,
  ValidationException,
} from "@aws-sdk/client-cloudwatch-logs";

const $metadata = {};

export const noLogGroup = () =>
  new ResourceNotFoundException({ message: "The specified log group does not exist.", $metadata });

export const noLogStream = () =>
  new ResourceNotFoundException({ message: "The specified log stream does not exist.", $metadata });

export const logGroupExists = () =>
  new ResourceAlreadyExistsException({ message: "The specified log group already exists", $metadata });

export const logStreamExists = () =>
  new ResourceAlreadyExistsException({ message: "The specified log stream already exists", $metadata });

export const invalidParameter = (message: string) => new InvalidParameterException({ message, $metadata });

export const invalidToken = () => invalidParameter("The specified nextToken is invalid.");

export const invalidFilterPattern = (reason: string) => invalidParameter(`Invalid filter pattern: ${reason}`);

export const tooManyTags = (resourceName: string) =>
  new TooManyTagsException({ message: "A resource can have no more than 50 tags.", resourceName, $metadata });

export const deletionProtected = () =>
  new ValidationException({
    message: "The log group cannot be deleted because deletion protection is enabled.",
    $metadata,
  });
