/** What happens to every call, from HTTP or from inside: validate, authorize, run; and the audit trail of how it ended. */
import { AccessDeniedError, authorizeOperation } from "./authorize.ts";
import { MalformedPolicyError } from "./authz/policy-document.ts";
import type { Call, Principal } from "./context.ts";
import { WireError } from "./errors.ts";
import type { Operation } from "./operation.ts";
import { withOpenedToken, withSealedToken } from "./page-token.ts";
import type { OperationModel, Service } from "./service.ts";
import { requireCallableBySession } from "./session-limits.ts";
import { validationMessage, violations } from "./validate.ts";

export async function execute(
  service: Service,
  model: OperationModel,
  input: Record<string, unknown>,
  received: Call,
): Promise<unknown> {
  let call = received;
  let failure: unknown;
  try {
    const loading = service.load();
    if (loading) await loading;
    const operation = builtOperation(service, model);
    // Who proves by a token who calls is not whose key has signed the request, if any has.
    if (call.http && !operation.unsigned) requireCallableBySession(service, model.name, call.principal);
    validate(service, model, input);
    if (operation.identify) call = calledBy(call, await operation.identify(input, call));
    const { authorize } = operation;
    call.system.identities.recordAccess?.(call.principal, actionOf(service, model, input), call.region, call.now);
    if (authorize !== "always") await authorizeOperation(authorize, input, call);
    const opened = withOpenedToken(service, model.name, input, call);
    return withSealedToken(service, model.name, await operation.run(opened, call), call);
  } catch (error) {
    failure =
      error instanceof MalformedPolicyError ? unreadablePolicy(error, actionOf(service, model, input), call) : error;
    throw failure;
  } finally {
    call.system.audit.record(service, model.name, input, call, failure);
  }
}

/**
 * Nobody can know what a stored policy that cannot be read would deny, so it denies everything. Policies that a caller gives are
 * checked before they are stored and have their service's error; this one was damaged in the database.
 */
function unreadablePolicy(error: Error, action: string, call: Call): Error {
  call.system.log("error", "a stored policy cannot be read", { action, account: call.accountId, error: error.message });
  const { arn } = call.principal;
  return new AccessDeniedError(
    `User: ${arn} is not authorized to perform: ${action} because a policy that applies cannot be read`,
  );
}

/** As IAM policies name it. */
function actionOf(service: Service, { name, operation }: OperationModel, input: Record<string, unknown>): string {
  const authorize = (operation as Operation<Record<string, unknown>> | undefined)?.authorize;
  if (authorize === undefined || authorize === "always") return `${service.signingName}:${name}`;
  return typeof authorize.action === "string" ? authorize.action : authorize.action(input);
}

function calledBy(call: Call, principal: Principal): Call {
  return { ...call, principal, accountId: principal.accountId };
}

/** https://docs.aws.amazon.com/awssupport/latest/APIReference/CommonErrors.html */
function builtOperation(service: Service, model: OperationModel): Operation<Record<string, unknown>, unknown> {
  if (!model.operation) {
    const sentence = `${service.id} ${model.name} is not built in this version of Slipway; src/services/${service.name}/README.md lists what is`;
    if (service.protocol === "awsQuery") throw new WireError("InvalidAction", 400, sentence);
    if (service.protocol === "restXml") throw new WireError("NotImplemented", 501, sentence);
    throw new WireError("UnknownOperationException", 400, sentence);
  }
  return model.operation as unknown as Operation<Record<string, unknown>, unknown>;
}

function validate(service: Service, model: OperationModel, input: Record<string, unknown>): void {
  if (model.input.isUnitSchema()) return;
  const found = violations(model.input, input, service.limits);
  if (found.length === 0) return;
  const message = service.validation.message?.(found) ?? validationMessage(found);
  const { code } = service.validation;
  throw new WireError(typeof code === "string" ? code : code(found), 400, message, service.validation.members?.(found));
}
