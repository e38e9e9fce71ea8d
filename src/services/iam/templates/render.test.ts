import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ParameterValues,
  type PolicyTemplate,
  parametersOf,
  renderedPolicy,
  renderedText,
  requireKnown,
} from "./render.ts";

/** The examples of https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-temporary-delegation-partner-guide.html */
const ofBucket = (Resource: string | string[]): PolicyTemplate => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource }],
});
const rendered = (template: PolicyTemplate, values: Record<string, string | string[]>) => {
  const policy = renderedPolicy(template, new Map(Object.entries(values)));
  return policy === undefined ? undefined : (JSON.parse(policy) as unknown);
};

test("a parameter's value stands for its name", () => {
  assert.deepEqual(
    rendered(ofBucket("arn:aws:s3:::@{bucketName}/*"), { bucketName: "customer-data-bucket" }),
    ofBucket("arn:aws:s3:::customer-data-bucket/*"),
  );
});

test("a list makes a resource of each value, lists together one of each combination", () => {
  assert.deepEqual(
    rendered(ofBucket("arn:aws:s3:::@{bucketNames}/@{prefix}/*"), {
      bucketNames: ["bucket-1", "bucket-2"],
      prefix: "data",
    }),
    ofBucket(["arn:aws:s3:::bucket-1/data/*", "arn:aws:s3:::bucket-2/data/*"]),
  );
  assert.deepEqual(
    rendered(ofBucket(["@{names}-@{names}", "c"]), { names: ["a", "b"] }),
    ofBucket(["a-a", "a-b", "b-a", "b-b", "c"]),
  );
  assert.deepEqual(rendered(ofBucket("@{names}"), { names: ["one"] }), ofBucket(["one"]));
});

test("a value is never more than text", () => {
  const value = '"],"Action":"*"}';
  assert.deepEqual(rendered(ofBucket("@{value}"), { value }), ofBucket(value));
  assert.deepEqual(rendered(ofBucket("@{value}"), { value: "@{other}" }), ofBucket("@{other}"));
});

test("statements come and go with their parameter", () => {
  const always = { Effect: "Allow", Action: ["s3:GetObject"], Resource: "*" };
  const write = { Effect: "Allow", Action: ["s3:PutObject"], Resource: "arn:aws:s3:::@{bucketName}/*" };
  const template = (condition: string) => ({
    Version: "2012-10-17",
    Statement: [always, { "@Enabled": condition, ...write }],
  });
  const left = (condition: string, values: Record<string, string>) =>
    (rendered(template(condition), values) as { Statement: unknown[] }).Statement.length;
  const bucketName = "my-bucket";
  assert.equal(left("WRITE", { bucketName, WRITE: "True" }), 2);
  assert.equal(left("WRITE", { bucketName, WRITE: "true" }), 2);
  assert.equal(left("WRITE", { WRITE: "False" }), 1);
  assert.equal(left("WRITE", {}), 1);
  assert.equal(left("!WRITE", { bucketName, WRITE: "False" }), 2);
  assert.equal(left("!WRITE", { WRITE: "True" }), 1);
  assert.equal(rendered({ Version: "2012-10-17", Statement: { "@Enabled": "WRITE", ...write } }, {}), undefined);
});

test("parameters that are missing or unknown are refused", () => {
  const template = ofBucket("@{bucketName}");
  assert.throws(() => rendered(template, {}), { name: "RenderError", message: "Parameter 'bucketName' not found." });
  const values: ParameterValues = new Map([["Unused", "ignored"]]);
  assert.throws(() => requireKnown(values, parametersOf(template)), {
    name: "RenderError",
    message: "Unrecognized parameter: Unused",
  });
  assert.deepEqual([...parametersOf({ "@Enabled": "!A_B" }, "@{RoleName}")], ["RoleName", "A_B"]);
  assert.throws(() => renderedText("@{names}", new Map([["names", ["a", "b"]]])), { name: "RenderError" });
  assert.throws(() => rendered(ofBucket("@{n}@{n}@{n}"), { n: Array.from({ length: 20 }, String) }), {
    name: "RenderError",
  });
});
