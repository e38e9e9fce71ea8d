import assert from "node:assert/strict";
import { test } from "node:test";
import { GrantedActions } from "./granted-actions.ts";

const document = (...statements: object[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements.map((one) => ({ Resource: "*", ...one })) });
const allow = (more: object) => ({ Effect: "Allow", ...more });
const deny = (more: object) => ({ Effect: "Deny", ...more });

interface Case {
  readonly policy: string;
  readonly granted: readonly string[];
  readonly not: readonly string[];
}

/** Services without a colon, actions with one. */
const CASES: Readonly<Record<string, Case>> = {
  "an action": {
    policy: document(allow({ Action: "S3:Get*" })),
    granted: ["s3", "s3:GetObject"],
    not: ["s3:PutObject", "s3-object-lambda", "ec2"],
  },
  everything: { policy: document(allow({ Action: "*" })), granted: ["s3", "ec2", "ec2:RunInstances"], not: [] },
  "all but some services": {
    policy: document(allow({ NotAction: ["iam:*", "s3:Get*"] })),
    granted: ["s3", "ec2", "s3:PutObject"],
    not: ["iam", "s3:GetObject", "iam:GetUser"],
  },
  "a denied service": {
    policy: document(allow({ Action: ["s3:*", "ec2:*"] }), deny({ Action: "s3:*" })),
    granted: ["ec2"],
    not: ["s3", "s3:GetObject"],
  },
  "a denial that has limits takes nothing away": {
    policy: document(
      allow({ Action: "s3:*" }),
      deny({ Action: "s3:*", Resource: "arn:aws:s3:::b" }),
      deny({ Action: "s3:*", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    ),
    granted: ["s3", "s3:GetObject"],
    not: [],
  },
  "a denial of all but some": {
    policy: document(allow({ Action: "*" }), deny({ NotAction: ["s3:*", "ec2:Describe*"] })),
    granted: ["s3", "ec2", "s3:GetObject", "ec2:DescribeInstances"],
    not: ["iam", "ec2:RunInstances"],
  },
};

for (const [name, { policy, granted, not }] of Object.entries(CASES)) {
  test(name, () => {
    const actions = new GrantedActions([policy]);
    const grants = (text: string) => {
      const [prefix, action] = text.split(":") as [string, string?];
      return action === undefined ? actions.grantsService(prefix) : actions.grantsAction(prefix, action);
    };
    assert.deepEqual([granted.filter((text) => !grants(text)), not.filter(grants)], [[], []]);
  });
}
