import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-cloudwatch-logs";
import { rootPrincipal } from "#gateway/context.ts";
import { ACCOUNT, REGION, testSystem } from "#tests/helpers/test-system.ts";
import { logs } from "../index.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const DAY = 24 * 60 * 60 * 1000;

async function system() {
  const made = await testSystem({ services: [logs], work: false });
  made.setNow(NOW);
  return made;
}

test("a group is created once, described and deleted", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateLogGroupCommand({ logGroupName: "/app/one", tags: { team: "blue" } }));
  await assert.rejects(
    root.send(new sdk.CreateLogGroupCommand({ logGroupName: "/app/one" })),
    new sdk.ResourceAlreadyExistsException({ message: "The specified log group already exists", $metadata: {} }),
  );
  const { logGroups } = await root.send(new sdk.DescribeLogGroupsCommand({}));
  assert.deepEqual(logGroups, [
    {
      logGroupName: "/app/one",
      creationTime: NOW.getTime(),
      retentionInDays: undefined,
      metricFilterCount: 0,
      arn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/app/one:*`,
      logGroupArn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/app/one`,
      storedBytes: 0,
      kmsKeyId: undefined,
      logGroupClass: "STANDARD",
      deletionProtectionEnabled: false,
    },
  ]);
  await root.send(new sdk.DeleteLogGroupCommand({ logGroupName: "/app/one" }));
  await assert.rejects(root.send(new sdk.DeleteLogGroupCommand({ logGroupName: "/app/one" })), {
    name: "ResourceNotFoundException",
    message: "The specified log group does not exist.",
  });
});

test("names are checked", async () => {
  await using slipway = await system();
  for (const logGroupName of ["", "a b", "x".repeat(513), "aws/mine"]) {
    const create = slipway.root.send(new sdk.CreateLogGroupCommand({ logGroupName }));
    await assert.rejects(create, { name: "InvalidParameterException" });
  }
});

test("groups are listed by prefix and pattern, page by page, in the order of their names", async () => {
  await using slipway = await system();
  const { root } = slipway;
  for (const name of ["b/2", "a/1", "b/1", "b_x", "c/1", "b/3"]) {
    await root.send(new sdk.CreateLogGroupCommand({ logGroupName: name }));
  }
  const pages: (string | undefined)[][] = [];
  let nextToken: string | undefined;
  do {
    const page: sdk.DescribeLogGroupsCommandOutput = (await root.send(
      new sdk.DescribeLogGroupsCommand({ logGroupNamePrefix: "b/", limit: 2, nextToken }),
    )) as sdk.DescribeLogGroupsCommandOutput;
    pages.push(page.logGroups!.map((group) => group.logGroupName));
    nextToken = page.nextToken;
  } while (nextToken);
  assert.deepEqual(pages, [["b/1", "b/2"], ["b/3"]]);

  const byPattern = await root.send(new sdk.DescribeLogGroupsCommand({ logGroupNamePattern: "/1", limit: 3 }));
  assert.deepEqual(
    byPattern.logGroups!.map((group) => group.logGroupName),
    ["a/1", "b/1", "c/1"],
  );
  assert.equal(byPattern.nextToken, undefined);

  const listed = await root.send(new sdk.ListLogGroupsCommand({ logGroupNamePattern: "^a/1|b_x" }));
  assert.deepEqual(
    listed.logGroups!.map((group) => group.logGroupName),
    ["a/1", "b_x"],
  );
  const both = new sdk.DescribeLogGroupsCommand({ logGroupNamePattern: "a", logGroupNamePrefix: "a" });
  await assert.rejects(root.send(both), { name: "InvalidParameterException" });
  const forged = new sdk.DescribeLogGroupsCommand({ nextToken: "forged" });
  await assert.rejects(root.send(forged), {
    name: "InvalidParameterException",
    message: "The specified nextToken is invalid.",
  });
});

test("groups of another account or region are not there", async () => {
  await using slipway = await system();
  await slipway.root.send(new sdk.CreateLogGroupCommand({ logGroupName: "mine" }));
  const elsewhere = slipway.client(rootPrincipal(ACCOUNT), { accountId: ACCOUNT, region: "eu-west-1" });
  const other = slipway.client(rootPrincipal("999988887777"), { accountId: "999988887777", region: REGION });
  for (const client of [elsewhere, other]) {
    assert.deepEqual((await client.send(new sdk.DescribeLogGroupsCommand({}))).logGroups, []);
    await assert.rejects(client.send(new sdk.DescribeLogStreamsCommand({ logGroupName: "mine" })), {
      name: "ResourceNotFoundException",
    });
  }
  const foreign = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:mine`;
  await assert.rejects(other.send(new sdk.DescribeLogStreamsCommand({ logGroupIdentifier: foreign })), {
    name: /AccessDenied|ResourceNotFoundException/,
  });
});

test("a protected group cannot be deleted", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateLogGroupCommand({ logGroupName: "kept", deletionProtectionEnabled: true }));
  await assert.rejects(root.send(new sdk.DeleteLogGroupCommand({ logGroupName: "kept" })), {
    name: "ValidationException",
  });
  await root.send(
    new sdk.PutLogGroupDeletionProtectionCommand({ logGroupIdentifier: "kept", deletionProtectionEnabled: false }),
  );
  await root.send(new sdk.DeleteLogGroupCommand({ logGroupName: "kept" }));
});

test("retention hides what has expired and then deletes it", async () => {
  await using slipway = await testSystem({ services: [logs] });
  slipway.setNow(NOW);
  const { root } = slipway;
  const named = { logGroupName: "g", logStreamName: "s" };
  await root.send(new sdk.CreateLogGroupCommand(named));
  await root.send(new sdk.CreateLogStreamCommand(named));
  const put = (timestamp: number) =>
    root.send(new sdk.PutLogEventsCommand({ ...named, logEvents: [{ timestamp, message: "old?" }] }));
  await put(NOW.getTime() - 4 * DAY);
  await put(NOW.getTime() - 2 * DAY);
  await assert.rejects(root.send(new sdk.PutRetentionPolicyCommand({ ...named, retentionInDays: 2 })), {
    name: "InvalidParameterException",
    message: /Value '2' at 'retentionInDays'/,
  });
  await root.send(new sdk.PutRetentionPolicyCommand({ ...named, retentionInDays: 3 }));
  const { events } = await root.send(new sdk.FilterLogEventsCommand({ logGroupName: "g" }));
  assert.deepEqual(
    events!.map((event) => event.timestamp),
    [NOW.getTime() - 2 * DAY],
  );
  const rejected = (await put(NOW.getTime() - 5 * DAY)).rejectedLogEventsInfo;
  assert.deepEqual(rejected, { expiredLogEventEndIndex: 1 });

  const group = async () => (await root.send(new sdk.DescribeLogGroupsCommand({}))).logGroups![0]!;
  assert.equal((await group()).retentionInDays, 3);
  while ((await group()).storedBytes !== 4 + 26) await new Promise((resolve) => setImmediate(resolve));
  await root.send(new sdk.DeleteRetentionPolicyCommand(named));
  assert.equal((await group()).retentionInDays, undefined);
  const { events: left } = await root.send(new sdk.FilterLogEventsCommand({ logGroupName: "g" }));
  assert.equal(left!.length, 1, "the expired event is gone for good");
  assert.deepEqual(slipway.workErrors, []);
});

test("tags, by ARN and by name", async () => {
  await using slipway = await system();
  const { root } = slipway;
  await root.send(new sdk.CreateLogGroupCommand({ logGroupName: "t", tags: { a: "1" } }));
  const resourceArn = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:t`;
  await root.send(new sdk.TagResourceCommand({ resourceArn, tags: { b: "2", a: "3" } }));
  await root.send(new sdk.TagLogGroupCommand({ logGroupName: "t", tags: { c: "4" } }));
  await root.send(new sdk.UntagResourceCommand({ resourceArn: resourceArn, tagKeys: ["b"] }));
  assert.deepEqual((await root.send(new sdk.ListTagsForResourceCommand({ resourceArn }))).tags, { a: "3", c: "4" });
  await root.send(new sdk.UntagLogGroupCommand({ logGroupName: "t", tags: ["a"] }));
  assert.deepEqual((await root.send(new sdk.ListTagsLogGroupCommand({ logGroupName: "t" }))).tags, { c: "4" });

  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "v"]));
  await assert.rejects(root.send(new sdk.TagResourceCommand({ resourceArn, tags: many })), {
    name: "TooManyTagsException",
  });
  await assert.rejects(root.send(new sdk.ListTagsForResourceCommand({ resourceArn: `${resourceArn}x` })), {
    name: "ResourceNotFoundException",
  });
});
