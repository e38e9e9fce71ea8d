import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EffectivePolicyType } from "@aws-sdk/client-organizations";
import file from "./cases/effective-policy-errors.json" with { type: "json" };
import { effectivePolicy, parseManagementPolicy } from "./effective-policy.ts";
import { errorsOf } from "./effective-policy-errors.ts";

describe("an effective policy", () => {
  for (const { name, type, policies, errors } of file.cases) {
    it(name, () => {
      const levels = policies.map((policy, index) => [{ id: `p-${index}`, content: JSON.stringify(policy) }]);
      for (const { content } of levels.flat()) parseManagementPolicy(content);
      const found = errorsOf(type as EffectivePolicyType, effectivePolicy(levels)!);
      assert.deepEqual(
        found.map(({ ErrorCode, ErrorMessage, PathToError, ContributingPolicies }) => [
          ErrorCode,
          ErrorMessage,
          PathToError,
          ContributingPolicies.join(),
        ]),
        errors,
      );
    });
  }
});
