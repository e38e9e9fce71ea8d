import assert from "node:assert/strict";
import { test } from "node:test";
import { statementSpans } from "./statement-positions.ts";

const at = (Line: number, Column: number) => ({ Line, Column });

/** https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html#examples */
test("a statement that is in no list begins behind its brace", () => {
  const oneLine =
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}';
  assert.deepEqual(statementSpans(oneLine), [{ start: at(1, 38), end: at(1, 167) }]);
  const lines =
    '{\n  "Version":"2012-10-17",\n  "Statement":{\n    "Effect":"Allow",\n    "Action":"s3:PutObject",\n    "Resource":"*"\n  }\n}';
  assert.deepEqual(statementSpans(lines), [{ start: at(3, 16), end: at(7, 4) }]);
});

/** What AWS answers for AdministratorAccess. */
test("the first of a list begins behind the bracket", () => {
  const administrator = JSON.stringify(
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
    null,
    2,
  );
  assert.deepEqual(statementSpans(administrator), [{ start: at(3, 17), end: at(8, 6) }]);
});

test("the others begin where the one before ends, whatever is in the texts", () => {
  const json =
    '{"Id":"Statement","Statement":[{"Sid":"}]","Effect":"Deny","Action":["a:b"],"Resource":"*"},{"Effect":"Deny"}],"Version":"2012-10-17"}';
  const [first, second, ...more] = statementSpans(json);
  assert.deepEqual(more, []);
  assert.deepEqual(first, { start: at(1, 32), end: at(1, 92) });
  assert.deepEqual(second, { start: first!.end, end: at(1, 110) });
});
