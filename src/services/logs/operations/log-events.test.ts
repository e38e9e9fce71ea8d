import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-cloudwatch-logs";
import { compilePolicy } from "#gateway/authz/compile.ts";
import { parsePolicy } from "#gateway/authz/policy-document.ts";
import type { Principal } from "#gateway/context.ts";
import { inTransaction } from "#store/database.ts";
import { ACCOUNT, REGION, type TestSystem, testSystem } from "#tests/helpers/test-system.ts";
import { logs } from "../index.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const T = NOW.getTime();
const HOUR = 60 * 60 * 1000;
const named = { logGroupName: "app", logStreamName: "one" };

async function systemWithStreams(...streams: string[]): Promise<TestSystem> {
  const made = await testSystem({ services: [logs], work: false });
  made.setNow(NOW);
  await made.root.send(new sdk.CreateLogGroupCommand(named));
  for (const logStreamName of streams)
    await made.root.send(new sdk.CreateLogStreamCommand({ ...named, logStreamName }));
  return made;
}

const put = ({ root }: TestSystem, logStreamName: string, ...events: (readonly [number, string])[]) =>
  root.send(
    new sdk.PutLogEventsCommand({
      logGroupName: "app",
      logStreamName,
      logEvents: events.map(([timestamp, message]) => ({ timestamp, message })),
    }),
  );

const messages = (output: { events?: { message?: string | undefined }[] | undefined }) =>
  output.events!.map((event) => event.message);

test("events of one timestamp keep the order in which they came, over several batches", async () => {
  await using slipway = await systemWithStreams("one");
  await put(slipway, "one", [T, "first"], [T, "second"]);
  await put(slipway, "one", [T - 1, "earlier"], [T, "third"]);
  const output = await slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true }));
  assert.deepEqual(messages(output), ["earlier", "first", "second", "third"]);
  assert.deepEqual(output.events![0], { timestamp: T - 1, message: "earlier", ingestionTime: T });
});

test("GetLogEvents goes forward to the end and gives the same token there until there is more", async () => {
  await using slipway = await systemWithStreams("one");
  await put(slipway, "one", ...Array.from({ length: 5 }, (_, index) => [T + index, `line ${index}`] as const));
  const get = (nextToken?: string) =>
    slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true, limit: 2, nextToken }));
  const first = await get();
  assert.deepEqual(messages(first), ["line 0", "line 1"]);
  const second = await get(first.nextForwardToken);
  assert.deepEqual(messages(second), ["line 2", "line 3"]);
  const third = await get(second.nextForwardToken);
  assert.deepEqual(messages(third), ["line 4"]);
  assert.notEqual(third.nextForwardToken, second.nextForwardToken);
  const end = await get(third.nextForwardToken);
  assert.deepEqual(messages(end), []);
  assert.equal(end.nextForwardToken, third.nextForwardToken);
  assert.deepEqual(messages(await get(end.nextBackwardToken)), ["line 3", "line 4"], "turns round at the end");
  await put(slipway, "one", [T + 9, "line 9"]);
  assert.deepEqual(messages(await get(end.nextForwardToken)), ["line 9"]);
  assert.deepEqual(messages(await get(second.nextBackwardToken)), ["line 0", "line 1"]);
});

test("GetLogEvents starts from the tail and goes backward to the head", async () => {
  await using slipway = await systemWithStreams("one");
  await put(slipway, "one", ...Array.from({ length: 5 }, (_, index) => [T + index, `line ${index}`] as const));
  const get = (nextToken?: string) => slipway.root.send(new sdk.GetLogEventsCommand({ ...named, limit: 3, nextToken }));
  const tail = await get();
  assert.deepEqual(messages(tail), ["line 2", "line 3", "line 4"]);
  const before = await get(tail.nextBackwardToken);
  assert.deepEqual(messages(before), ["line 0", "line 1"]);
  const head = await get(before.nextBackwardToken);
  assert.deepEqual(messages(head), []);
  assert.equal(head.nextBackwardToken, before.nextBackwardToken);
  assert.deepEqual(messages(await get(head.nextForwardToken)), ["line 0", "line 1", "line 2"]);
});

test("an empty stream's tokens can be used later, and time ranges include the start and not the end", async () => {
  await using slipway = await systemWithStreams("one");
  const empty = await slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true }));
  assert.deepEqual(empty.events, []);
  await put(slipway, "one", [T, "a"], [T + 1, "b"], [T + 2, "c"]);
  const later = new sdk.GetLogEventsCommand({ ...named, startFromHead: true, nextToken: empty.nextForwardToken });
  assert.deepEqual(messages(await slipway.root.send(later)), ["a", "b", "c"]);
  const range = new sdk.GetLogEventsCommand({ ...named, startTime: T, endTime: T + 2 });
  assert.deepEqual(messages(await slipway.root.send(range)), ["a", "b"]);
});

test("a token is good for its own stream only", async () => {
  await using slipway = await systemWithStreams("one", "two");
  await put(slipway, "one", [T, "a"]);
  const { nextForwardToken } = await slipway.root.send(new sdk.GetLogEventsCommand(named));
  for (const nextToken of ["f/1/s", "nonsense", nextForwardToken!]) {
    const get = new sdk.GetLogEventsCommand({ ...named, logStreamName: "two", nextToken });
    await assert.rejects(slipway.root.send(get), { name: "InvalidParameterException" });
  }
});

test("a page holds at most 1 MB", async () => {
  await using slipway = await systemWithStreams("one");
  const large = "x".repeat(600 * 1024);
  for (const offset of [0, 1, 2]) await put(slipway, "one", [T + offset, large]);
  const first = await slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true }));
  assert.equal(first.events!.length, 1);
  const filtered = await slipway.root.send(new sdk.FilterLogEventsCommand({ logGroupName: "app" }));
  assert.equal(filtered.events!.length, 1);
  assert.ok(filtered.nextToken);
});

test("batches that break a rule are refused as a whole", async () => {
  await using slipway = await systemWithStreams("one");
  const refused = (message: RegExp, ...events: (readonly [number, string])[]) =>
    assert.rejects(put(slipway, "one", ...events), { name: "InvalidParameterException", message });
  await refused(/chronological order/, [T, "a"], [T - 1, "b"]);
  await refused(/cannot span more than 24 hours/, [T - 25 * HOUR, "a"], [T, "b"]);
  await refused(/^Upload too large: 1048577 bytes exceeds limit of 1048576$/, [T, `${"ü".repeat(524_275)}x`]);
  await refused(/length greater than or equal to 1/, [T, ""]);
  await refused(/less than or equal to 10000/, ...Array.from({ length: 10_001 }, () => [T, "x"] as const));
  assert.deepEqual((await slipway.root.send(new sdk.GetLogEventsCommand(named))).events, []);
  await put(slipway, "one", [T, "ü".repeat(524_275)]);
});

test("events that are too old or too new are left out and told by index", async () => {
  await using slipway = await systemWithStreams("one");
  const output = await put(
    slipway,
    "one",
    [T - 15 * 24 * HOUR, "too old"],
    [T - HOUR, "good"],
    [T + 2 * HOUR, "just good"],
    [T + 2 * HOUR + 1, "too new"],
  );
  assert.deepEqual(output.rejectedLogEventsInfo, { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 3 });
  const kept = await slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true }));
  assert.deepEqual(messages(kept), ["good", "just good"]);
});

test("sequence tokens are taken and ignored", async () => {
  await using slipway = await systemWithStreams("one");
  const event = { timestamp: T, message: "x" };
  const command = new sdk.PutLogEventsCommand({ ...named, logEvents: [event], sequenceToken: "whatever" });
  assert.match((await slipway.root.send(command)).nextSequenceToken!, /^\d{56}$/);
});

test("putting joins the caller's transaction", async () => {
  await using slipway = await systemWithStreams("one");
  const command = new sdk.PutLogEventsCommand({ ...named, logEvents: [{ timestamp: T, message: "never" }] });
  const failing = inTransaction(slipway.db, async (trx) => {
    await slipway.root.within(trx).send(command);
    throw new Error("rolled back");
  });
  await assert.rejects(failing, /rolled back/);
  assert.deepEqual((await slipway.root.send(new sdk.GetLogEventsCommand(named))).events, []);
});

test("FilterLogEvents interleaves streams, page by page, and every event has its own id", async () => {
  await using slipway = await systemWithStreams("one", "two", "other");
  await put(slipway, "one", [T, "1a"], [T + 2, "1b"]);
  await put(slipway, "two", [T + 1, "2a"], [T + 3, "2b"]);
  await put(slipway, "other", [T + 1, "other"]);
  const seen: string[] = [];
  const ids = new Set<string>();
  let nextToken: string | undefined;
  do {
    const page: { events?: sdk.FilteredLogEvent[] | undefined; nextToken?: string | undefined } =
      await slipway.root.send(
        new sdk.FilterLogEventsCommand({ logGroupName: "app", logStreamNames: ["one", "two"], limit: 1, nextToken }),
      );
    for (const event of page.events!) {
      seen.push(`${event.logStreamName} ${event.message}`);
      ids.add(event.eventId!);
    }
    nextToken = page.nextToken;
  } while (nextToken);
  assert.deepEqual(seen, ["one 1a", "two 2a", "one 1b", "two 2b"]);
  assert.equal(ids.size, 4);
  for (const id of ids) assert.match(id, /^\d{56}$/);
});

test("FilterLogEvents searches by pattern, prefix and time; its end is inclusive", async () => {
  await using slipway = await systemWithStreams("one", "two", "other");
  await put(slipway, "one", [T, "ERROR a"], [T + 1, "fine"], [T + 2, "ERROR b"]);
  await put(slipway, "two", [T + 2, "ERROR c"], [T + 3, "ERROR d"]);
  await put(slipway, "other", [T, "ERROR e"]);
  const filter = async (input: Partial<sdk.FilterLogEventsCommandInput>) =>
    messages(await slipway.root.send(new sdk.FilterLogEventsCommand({ logGroupName: "app", ...input })));
  assert.deepEqual((await filter({ filterPattern: "ERROR" })).length, 5);
  assert.deepEqual(await filter({ filterPattern: "fine" }), ["fine"]);
  assert.deepEqual(await filter({ logStreamNamePrefix: "o", filterPattern: "ERROR", startTime: T + 1 }), ["ERROR b"]);
  assert.deepEqual(await filter({ logStreamNamePrefix: "none" }), []);
  assert.deepEqual(await filter({ logStreamNames: ["two"], endTime: T + 2 }), ["ERROR c"]);
  const both = filter({ logStreamNames: ["one"], logStreamNamePrefix: "o" });
  await assert.rejects(both, { name: "InvalidParameterException" });
  await assert.rejects(filter({ logStreamNames: ["absent"] }), {
    name: "ResourceNotFoundException",
    message: "The specified log stream does not exist.",
  });
  await assert.rejects(filter({ filterPattern: "{ $.a" }), { name: "InvalidParameterException" });
});

test("a match beyond the first portion of a large stream is found", async () => {
  await using slipway = await systemWithStreams("one");
  const lines = Array.from({ length: 10_000 }, (_, index) => [T, index === 9_000 ? "needle" : `hay ${index}`] as const);
  await put(slipway, "one", ...lines);
  const filter = new sdk.FilterLogEventsCommand({ logGroupName: "app", filterPattern: "needle" });
  assert.deepEqual(messages(await slipway.root.send(filter)), ["needle"]);
  const all = await slipway.root.send(new sdk.GetLogEventsCommand({ ...named, startFromHead: true }));
  assert.deepEqual(
    messages(all),
    lines.map(([, message]) => message),
  );
});

test("the group is named by name or by ARN, and by exactly one of both", async () => {
  await using slipway = await systemWithStreams("one");
  await put(slipway, "one", [T, "x"]);
  const arn = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:app`;
  for (const logGroupIdentifier of ["app", arn]) {
    const filter = slipway.root.send(new sdk.FilterLogEventsCommand({ logGroupIdentifier }));
    assert.deepEqual(messages(await filter), ["x"]);
  }
  const suffixed = new sdk.FilterLogEventsCommand({ logGroupIdentifier: `${arn}:*` });
  await assert.rejects(slipway.root.send(suffixed), { name: "InvalidParameterException" }, "AWS refuses the asterisk");
  const both = new sdk.GetLogEventsCommand({ ...named, logGroupIdentifier: arn });
  await assert.rejects(slipway.root.send(both), { name: "InvalidParameterException" });
  const neither = new sdk.GetLogEventsCommand({ logStreamName: "one" });
  await assert.rejects(slipway.root.send(neither), { name: "InvalidParameterException" });
});

test("streams are described by name and by time, page by page", async () => {
  await using slipway = await systemWithStreams("a", "b", "c");
  await put(slipway, "b", [T + 5, "late"]);
  await put(slipway, "a", [T + 1, "early"], [T + 2, "x"]);
  const names = async (input: Partial<sdk.DescribeLogStreamsCommandInput>) => {
    const found: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page: { logStreams?: sdk.LogStream[] | undefined; nextToken?: string | undefined } =
        await slipway.root.send(
          new sdk.DescribeLogStreamsCommand({ logGroupName: "app", limit: 1, nextToken, ...input }),
        );
      found.push(...page.logStreams!.map((stream) => stream.logStreamName));
      nextToken = page.nextToken;
    } while (nextToken);
    return found;
  };
  assert.deepEqual(await names({}), ["a", "b", "c"]);
  assert.deepEqual(await names({ descending: true }), ["c", "b", "a"]);
  assert.deepEqual(await names({ orderBy: "LastEventTime", descending: true }), ["b", "a", "c"]);
  assert.deepEqual(await names({ orderBy: "LastEventTime" }), ["c", "a", "b"]);
  assert.deepEqual(await names({ logStreamNamePrefix: "b" }), ["b"]);
  await assert.rejects(names({ orderBy: "LastEventTime", logStreamNamePrefix: "b" }), {
    message: "Cannot order by LastEventTime with a logStreamNamePrefix.",
  });
  const { logStreams } = await slipway.root.send(new sdk.DescribeLogStreamsCommand({ logGroupName: "app", limit: 1 }));
  const { uploadSequenceToken, ...stream } = logStreams![0]!;
  assert.ok(uploadSequenceToken);
  assert.deepEqual(stream, {
    logStreamName: "a",
    creationTime: T,
    firstEventTimestamp: T + 1,
    lastEventTimestamp: T + 2,
    lastIngestionTime: T,
    arn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:app:log-stream:a`,
    storedBytes: 0,
  });
});

test("deleting a stream takes its events along", async () => {
  await using slipway = await systemWithStreams("one", "two");
  await put(slipway, "one", [T, "gone"]);
  await put(slipway, "two", [T, "stays"]);
  await slipway.root.send(new sdk.DeleteLogStreamCommand(named));
  const filtered = await slipway.root.send(new sdk.FilterLogEventsCommand({ logGroupName: "app" }));
  assert.deepEqual(messages(filtered), ["stays"]);
  await assert.rejects(slipway.root.send(new sdk.DeleteLogStreamCommand(named)), {
    name: "ResourceNotFoundException",
    message: "The specified log stream does not exist.",
  });
  await slipway.root.send(new sdk.CreateLogStreamCommand(named));
  await assert.rejects(slipway.root.send(new sdk.CreateLogStreamCommand(named)), {
    name: "ResourceAlreadyExistsException",
  });
  assert.deepEqual((await slipway.root.send(new sdk.GetLogEventsCommand(named))).events, []);
});

test("a role may write where its policy says, as CodeBuild's service role does", async () => {
  await using slipway = await systemWithStreams("one");
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/build/session`;
  const role: Principal = {
    type: "AssumedRole",
    arn,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/build`,
    accountId: ACCOUNT,
    userId: "AROA:session",
    accessKeyId: undefined,
  };
  const resource = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:app`;
  const policy = {
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Resource: [resource, `${resource}:*`], Action: ["logs:CreateLogStream", "logs:PutLogEvents"] },
    ],
  };
  slipway.policies.set(arn, [compilePolicy(parsePolicy(JSON.stringify(policy), "identity"))]);
  const client = slipway.client(role, { accountId: ACCOUNT, region: REGION });
  await client.send(new sdk.CreateLogStreamCommand({ ...named, logStreamName: "built" }));
  const logEvents = [{ timestamp: T, message: "x" }];
  await client.send(new sdk.PutLogEventsCommand({ ...named, logStreamName: "built", logEvents }));
  await assert.rejects(client.send(new sdk.GetLogEventsCommand(named)), {
    name: "AccessDenied",
    message: `User: ${arn} is not authorized to perform: logs:GetLogEvents on resource: ${resource}:log-stream:one because no identity-based policy allows the logs:GetLogEvents action`,
  });
});
