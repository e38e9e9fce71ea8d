/** Slipway on PostgreSQL: the store's contract, the services' own tests of their operations, and a whole process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ecr from "@aws-sdk/client-ecr";
import * as ecs from "@aws-sdk/client-ecs";
import * as iam from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import { sql } from "kysely";
import { until } from "#demo/until.ts";
import { Bus } from "#store/bus.ts";
import { emptyTables } from "#store/migrate.ts";
import { openStore } from "#store/open.ts";
import { storeContract } from "#store/store.contract.ts";
import { workContract } from "#store/work.contract.ts";
import { newSchema, type TestPostgres, testPostgres } from "#tests/helpers/postgres.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

let postgres: TestPostgres;
before(async () => {
  postgres = await testPostgres();
});
after(() => postgres[Symbol.asyncDispose]());

const emptySchema = () => newSchema(postgres.url);

storeContract("PostgreSQL", emptySchema);
workContract("PostgreSQL", emptySchema);

describe("several processes on one PostgreSQL", () => {
  /** What two stores are for each other: another process. */
  async function twoBuses(first: string, second: string) {
    const stores = [await openStore(first), await openStore(second)] as const;
    const [one, other] = [new Bus(stores[0].notifications), new Bus(stores[1].notifications)];
    await Promise.all([one.start(), other.start()]);
    return { stores, one, other, close: () => Promise.all(stores.map((store) => store.close())) };
  }

  it("wake each other, and hear themselves once", async () => {
    const schema = await emptySchema();
    const { one, other, close } = await twoBuses(schema, schema);
    const heard = { one: [] as string[], other: [] as string[] };
    one.subscribe("topic", (key) => heard.one.push(key));
    other.subscribe("topic", (key) => heard.other.push(key));
    one.publish("topic", "first");
    await until(() => heard.other.length > 0);
    other.publish("topic", "second");
    await until(() => heard.one.includes("second"));
    // The database delivers in order: an echo of "first" would have come before "second".
    assert.deepEqual(heard, { one: ["first", "second"], other: ["first", "second"] });
    await close();
  });

  it("are left alone by those in another schema", async () => {
    const schema = await emptySchema();
    const { one, other, close } = await twoBuses(schema, await emptySchema());
    const third = await twoBuses(schema, schema);
    const heard: string[] = [];
    other.subscribe("topic", (key) => heard.push(`other ${key}`));
    third.one.subscribe("topic", (key) => heard.push(`third ${key}`));
    one.publish("topic", "mine");
    await until(() => heard.includes("third mine"));
    assert.deepEqual(heard, ["third mine"]);
    await Promise.all([close(), third.close()]);
  });

  it("go on after the server has dropped every connection", async () => {
    const schema = await emptySchema();
    const { stores, one, other, close } = await twoBuses(schema, schema);
    const heard: string[] = [];
    other.subscribe("topic", (key) => heard.push(key));
    const administrator = await openStore(postgres.url);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(administrator.db);
    await administrator.close();
    await until(() => {
      one.publish("topic", "after the drop");
      return heard.length > 0;
    });
    await sql`select 1`.execute(stores[0].db);
    await close();
  });

  it("leave others' tables in the database alone when they empty their own", async () => {
    const [own, others] = [await openStore(await emptySchema()), await openStore(await emptySchema())];
    for (const { db } of [own, others]) {
      await sql`create table notes (text text)`.execute(db);
      await sql`insert into notes values ('keep this')`.execute(db);
    }
    await sql`create table only_there (text text)`.execute(others.db);
    await emptyTables(own.db);
    assert.deepEqual((await sql`select * from notes`.execute(own.db)).rows, []);
    assert.deepEqual((await sql`select * from notes`.execute(others.db)).rows, [{ text: "keep this" }]);
    await Promise.all([own.close(), others.close()]);
  });
});

describe("the services on PostgreSQL", () => {
  const files = globSync("src/services/*/operations/*.test.ts").sort();

  it(`pass their operations' tests (${files.length} files)`, async () => {
    assert.ok(files.length > 20, "the pattern finds the tests");
    const { NODE_TEST_CONTEXT: _inherited, ...environment } = process.env;
    const tests = spawn(process.execPath, ["--test", "--test-reporter=spec", "--test-concurrency=2", ...files], {
      env: { ...environment, SLIPWAY_TEST_DATABASE: postgres.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [tests.stdout, tests.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    const [status] = (await once(tests, "close")) as [number | null];
    assert.equal(status, 0, output.slice(Math.max(output.indexOf("failing tests:"), 0)));
    const passed = Number(/^ℹ pass (\d+)$/m.exec(output)?.[1]);
    assert.ok(passed > 200, `${passed} tests ran`);
    const store = await openStore(postgres.url);
    const { rows } = await sql`select 1 from information_schema.tables where table_name = 'migrations'`.execute(
      store.db,
    );
    await store.close();
    assert.ok(rows.length > 100, "each of their systems had a schema in this database");
  });
});

describe("slipway up --database postgres://…", () => {
  let slipway: SlipwayProcess;
  before(async () => {
    slipway = await SlipwayProcess.start({ arguments: ["--database", await emptySchema()] });
  });
  after(() => slipway[Symbol.asyncDispose]());

  function configuration() {
    const { url, region, accessKeyId, secretAccessKey } = slipway.running;
    return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  }

  it("has after kill -9 all that it had acknowledged", async () => {
    const bucket = () => new s3.S3Client({ ...configuration(), forcePathStyle: true });
    await bucket().send(new s3.CreateBucketCommand({ Bucket: "kept" }));
    await bucket().send(new s3.PutObjectCommand({ Bucket: "kept", Key: "notes/ä.txt", Body: "written before" }));
    await new ecr.ECRClient(configuration()).send(new ecr.CreateRepositoryCommand({ repositoryName: "kept/app" }));
    await new iam.IAMClient(configuration()).send(new iam.CreateUserCommand({ UserName: "kept" }));
    const before = slipway.running;

    await slipway.kill();
    await slipway.start();

    assert.notEqual(slipway.running.pid, before.pid);
    assert.equal(slipway.running.accessKeyId, before.accessKeyId);
    const object = await bucket().send(new s3.GetObjectCommand({ Bucket: "kept", Key: "notes/ä.txt" }));
    assert.equal(await object.Body?.transformToString(), "written before");
    const { repositories } = await new ecr.ECRClient(configuration()).send(new ecr.DescribeRepositoriesCommand({}));
    assert.deepEqual(
      repositories?.map(({ repositoryName }) => repositoryName),
      ["kept/app"],
    );
    const { User } = await new iam.IAMClient(configuration()).send(new iam.GetUserCommand({ UserName: "kept" }));
    assert.equal(User?.UserName, "kept");
  });

  it("gives revisions once each to those who register at the same time, before and after kill -9", async () => {
    const register = () =>
      new ecs.ECSClient(configuration()).send(
        new ecs.RegisterTaskDefinitionCommand({
          family: "crowded",
          containerDefinitions: [{ name: "app", image: "busybox", memory: 16 }],
        }),
      );
    const revisions = async () => {
      const registered = await Promise.all(Array.from({ length: 8 }, register));
      return registered.map(({ taskDefinition }) => taskDefinition!.revision!).sort((a, b) => a - b);
    };
    assert.deepEqual(await revisions(), [1, 2, 3, 4, 5, 6, 7, 8]);
    await slipway.kill();
    await slipway.start();
    assert.deepEqual(await revisions(), [9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it("keeps every log event of writers at the same time", async () => {
    const client = new logs.CloudWatchLogsClient(configuration());
    const stream = { logGroupName: "crowd", logStreamName: "all" };
    await client.send(new logs.CreateLogGroupCommand({ logGroupName: "crowd" }));
    await client.send(new logs.CreateLogStreamCommand(stream));
    const timestamp = Date.now();
    const messages = Array.from({ length: 8 }, (_, number) => `line ${number}`);
    await Promise.all(
      messages.map((message) =>
        client.send(new logs.PutLogEventsCommand({ ...stream, logEvents: [{ timestamp, message }] })),
      ),
    );
    await client.send(
      new logs.PutLogEventsCommand({ ...stream, logEvents: [{ timestamp, message: "zero \u0000 byte" }] }),
    );
    const { events } = await client.send(new logs.GetLogEventsCommand({ ...stream, startFromHead: true }));
    assert.deepEqual(events?.map(({ message }) => message).sort(), [...messages, "zero \u0000 byte"]);
  });
});
