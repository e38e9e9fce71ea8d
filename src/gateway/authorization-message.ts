/**
 * Why a call was denied, as sts:DecodeAuthorizationMessage tells it. The message is sealed, because it says more than the
 * caller may know; the audit trail has one with every denial.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type AuthorizationRequest, type Decision, denyingStatements, type PolicySet } from "./authz/evaluate.ts";
import type { Statement } from "./authz/policy-document.ts";
import type { Cipher } from "./cipher.ts";
import type { Principal } from "./context.ts";

export interface Denial {
  readonly request: AuthorizationRequest;
  readonly decision: Decision;
  readonly policies: PolicySet;
}

export interface OpenedMessage {
  /** Those of the caller and of the resource. */
  readonly accountIds: readonly string[];
  /** JSON in AWS's form. */
  readonly decoded: string;
}

const PURPOSE = "authorization-message";
/** sts:DecodeAuthorizationMessage takes no more. */
const MAX_CHARACTERS = 10_240;
const MAX_BYTES = 1024 * 1024;

/** undefined where it would be longer than AWS's may be. */
export function sealDenial(cipher: Cipher, denial: Denial, principal: Principal): string | undefined {
  const message: OpenedMessage = {
    accountIds: [principal.accountId, denial.request.resourceAccountId],
    decoded: JSON.stringify(decodedMessage(denial, principal)),
  };
  const sealed = cipher.seal(PURPOSE, deflateRawSync(JSON.stringify(message)));
  return sealed.length > MAX_CHARACTERS ? undefined : sealed;
}

/** undefined for what was not sealed here. */
export function openMessage(cipher: Cipher, sealed: string): OpenedMessage | undefined {
  const opened = cipher.open(PURPOSE, sealed);
  if (!opened) return undefined;
  return JSON.parse(inflateRawSync(opened, { maxOutputLength: MAX_BYTES }).toString()) as OpenedMessage;
}

function decodedMessage({ request, decision, policies }: Denial, principal: Principal): object {
  // What could not be evaluated once is not evaluated again.
  const denying = decision.fault === undefined ? denyingStatements(request, policies) : [];
  return {
    allowed: false,
    explicitDeny: decision.explicit,
    // Only statements that deny have matched: where nothing allows, AWS names none.
    matchedStatements: items(denying.map((statement) => toMatched(statement, principal))),
    failures: items([]),
    context: {
      principal: {
        id: principal.userId,
        ...(principal.type === "User" && { name: principal.arn.slice(principal.arn.lastIndexOf("/") + 1) }),
        arn: principal.arn,
      },
      action: request.action,
      resource: request.resource,
      conditions: items(
        Object.entries(request.context)
          .filter(([, value]) => value !== undefined)
          .map(([key, value]) => ({ key, values: values([value ?? []].flat()) })),
      ),
    },
  };
}

function toMatched(statement: Statement, principal: Principal): object {
  return {
    statementId: statement.sid ?? "",
    effect: statement.effect.toUpperCase(),
    principals: values([principal.userId]),
    principalGroups: items([]),
    actions: values(statement.actions ?? statement.notActions ?? []),
    resources: values(statement.resources ?? statement.notResources ?? []),
    conditions: items(statement.conditions.map(({ key, values: texts }) => ({ key, values: values(texts) }))),
  };
}

function values(texts: readonly string[]): object {
  return items(texts.map((value) => ({ value })));
}

function items(list: readonly object[]): object {
  return { items: list };
}
