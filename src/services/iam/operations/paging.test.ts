import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { iamSystem, policy } from "../testing.ts";
import { pageOf } from "./support.ts";

/** What a client may send back; `markerType` of the API's model. */
const MAX_MARKER = 320;

test("lists whose keys are longer than a marker may be go on all the same", async () => {
  await using system = await iamSystem();
  const { root } = system;
  await root.send(new sdk.CreateUserCommand({ UserName: "dev" }));
  const Path = `/${"p".repeat(500)}/`;
  const names = ["a", "b", "c", "d"];
  for (const PolicyName of names) {
    const created = new sdk.CreatePolicyCommand({ PolicyName, Path, PolicyDocument: policy("Allow", "s3:*") });
    const { Policy } = await root.send(created);
    await root.send(new sdk.AttachUserPolicyCommand({ UserName: "dev", PolicyArn: Policy!.Arn! }));
  }
  const found: (string | undefined)[] = [];
  let Marker: string | undefined;
  do {
    const list = new sdk.ListAttachedUserPoliciesCommand({ UserName: "dev", MaxItems: 1, ...(Marker && { Marker }) });
    const page = await root.send(list);
    found.push(...page.AttachedPolicies!.map(({ PolicyName }) => PolicyName));
    Marker = page.Marker;
    assert.ok((Marker ?? "").length <= MAX_MARKER);
  } while (Marker !== undefined);
  assert.deepEqual(found, names);
});

test("a key of any length is where the next page begins, also where some are gone meanwhile", async () => {
  const keys = [
    "a",
    "x".repeat(189),
    "x".repeat(190),
    ...["a", "b", "c"].map((end) => `${"x".repeat(190)}${end}`),
    ...["a", "b"].map((end) => `${"ż".repeat(120)}${end}`),
    "żż",
  ].sort();
  const keyOf = (key: string) => key;
  for (let MaxItems = 1; MaxItems <= keys.length; MaxItems++) {
    const found: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await pageOf({ MaxItems, ...(Marker !== undefined && { Marker }) }, keys, keyOf);
      found.push(...page.items);
      Marker = page.Marker;
    } while (Marker !== undefined);
    assert.deepEqual(found, keys, `pages of ${MaxItems}`);
  }
  const { Marker = "" } = await pageOf({ MaxItems: 2 }, keys, keyOf);
  assert.deepEqual((await pageOf({ Marker }, keys.slice(2), keyOf)).items, keys.slice(2));
});
