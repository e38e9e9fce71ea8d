import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { openMessage, sealDenial } from "./authorization-message.ts";
import type { CompiledPolicy } from "./authz/compile.ts";
import { evaluate } from "./authz/evaluate.ts";
import { Cipher } from "./cipher.ts";
import { rootPrincipal } from "./context.ts";

test("a denial because a policy could not be evaluated is explained without evaluating it again", () => {
  const broken = new Proxy({} as CompiledPolicy, {
    get() {
      throw new Error("broken policy");
    },
  });
  const principal = rootPrincipal("111122223333");
  const request = {
    action: "s3:GetObject",
    resource: "arn:aws:s3:::docs/a",
    resourceAccountId: "111122223333",
    principal,
    context: {},
  };
  const policies = { identity: [broken] };
  const decision = evaluate(request, policies);
  assert.ok(decision.fault instanceof Error);

  const cipher = new Cipher(randomBytes(32));
  const sealed = sealDenial(cipher, { request, decision, policies }, principal);
  const { matchedStatements, explicitDeny } = JSON.parse(openMessage(cipher, sealed!)!.decoded);
  assert.deepEqual([matchedStatements, explicitDeny], [{ items: [] }, false]);
});
