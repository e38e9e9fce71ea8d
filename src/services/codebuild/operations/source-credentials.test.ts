import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-codebuild";
import { codebuildSystem } from "#tests/helpers/codebuild-system.ts";
import { ACCOUNT, REGION } from "#tests/helpers/test-system.ts";
import { sourceToken } from "../source-token.ts";
import { listSourceCredentials } from "../store/source-credentials.ts";

const scope = { accountId: ACCOUNT, region: REGION };

test("a token is kept sealed, one a provider, and shown to nobody", async () => {
  await using system = await codebuildSystem({ work: false });
  const given = { serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN", token: "ghp_secret" } as const;
  const { arn } = await system.root.send(new sdk.ImportSourceCredentialsCommand(given));
  assert.match(arn!, new RegExp(`^arn:aws:codebuild:${REGION}:${ACCOUNT}:token/github-`));
  assert.deepEqual((await system.root.send(new sdk.ListSourceCredentialsCommand({}))).sourceCredentialsInfos, [
    { arn, serverType: "GITHUB", authType: "PERSONAL_ACCESS_TOKEN" },
  ]);
  const [stored] = await listSourceCredentials(system.db, scope);
  assert.equal(JSON.stringify(stored).includes("ghp_secret"), false);
  assert.equal(await sourceToken(system, scope, "GITHUB"), "ghp_secret");
  assert.equal(await sourceToken(system, scope, "GITLAB"), undefined);
  assert.equal(await sourceToken(system, { ...scope, region: "eu-west-1" }, "GITHUB"), undefined);

  const kept = new sdk.ImportSourceCredentialsCommand({ ...given, shouldOverwrite: false });
  await assert.rejects(system.root.send(kept), { name: "ResourceAlreadyExistsException" });
  const replaced = await system.root.send(new sdk.ImportSourceCredentialsCommand({ ...given, token: "new" }));
  assert.equal(replaced.arn, arn);
  assert.equal(await sourceToken(system, scope, "GITHUB"), "new");

  await system.root.send(new sdk.DeleteSourceCredentialsCommand({ arn: arn! }));
  await assert.rejects(system.root.send(new sdk.DeleteSourceCredentialsCommand({ arn: arn! })), {
    name: "ResourceNotFoundException",
  });
});

test("a connection's ARN is no token", async () => {
  await using system = await codebuildSystem({ work: false });
  const token = "arn:aws:codeconnections:us-east-1:111122223333:connection/x";
  await system.root.send(
    new sdk.ImportSourceCredentialsCommand({ serverType: "GITHUB", authType: "CODECONNECTIONS", token }),
  );
  assert.equal(await sourceToken(system, scope, "GITHUB"), undefined);
  const basic = { serverType: "BITBUCKET", authType: "BASIC_AUTH", token } as const;
  await assert.rejects(system.root.send(new sdk.ImportSourceCredentialsCommand(basic)), {
    name: "InvalidInputException",
  });
});

test("the managed images by platform", async () => {
  await using system = await codebuildSystem({ work: false });
  const { platforms } = await system.root.send(new sdk.ListCuratedEnvironmentImagesCommand({}));
  assert.deepEqual(
    platforms!.map(({ platform }) => platform),
    ["AMAZON_LINUX_2", "UBUNTU"],
  );
});
