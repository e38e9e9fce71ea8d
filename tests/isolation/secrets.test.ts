/**
 * Whatever Slipway was given or gave out in confidence is sealed wherever it keeps it: a real Slipway gets one of each secret,
 * and then its whole data folder (database with its log, blobs, audit trail) and its own log are searched for them.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as codebuild from "@aws-sdk/client-codebuild";
import * as ecr from "@aws-sdk/client-ecr";
import * as iam from "@aws-sdk/client-iam";
import * as kms from "@aws-sdk/client-kms";
import * as s3 from "@aws-sdk/client-s3";
import * as sts from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { containerEnvironment } from "#gateway/container-environment.ts";
import { type Slipway, startSlipway } from "#main";
import { gitHubSignature } from "#services/codebuild/webhooks/signature.ts";
import { services } from "#services/services.ts";

/** These hold the keys to the rest, for their owner only. */
const KEY_FILES: readonly string[] = ["master.key", "tls/ca.key"];
const ACCOUNT = "111122223333";
const REGION = "us-east-1";

let dataDir: string;
let slipway: Slipway;
const logged: string[] = [];
/** By what they are. */
const secrets = new Map<string, string>();

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "slipway-secrets-"));
  const log = (...line: unknown[]) => void logged.push(JSON.stringify(line));
  slipway = await startSlipway({
    dataDir,
    port: 0,
    accountId: ACCOUNT,
    region: REGION,
    engine: () => new FakeEngine(),
    log,
  });
  try {
    await useEverything();
  } finally {
    await slipway.close();
  }
});
after(() => rm(dataDir, { recursive: true, force: true }));

function configuration(credentials = slipway.administrator as { accessKeyId: string; secretAccessKey: string }) {
  return { endpoint: slipway.url, region: REGION, credentials, maxAttempts: 1 };
}

async function useEverything(): Promise<void> {
  secrets.set("the administrator's secret key", slipway.administrator.secretAccessKey);
  const people = new iam.IAMClient(configuration());
  await people.send(new iam.CreateUserCommand({ UserName: "u" }));
  const { AccessKey } = await people.send(new iam.CreateAccessKeyCommand({ UserName: "u" }));
  secrets.set("a user's secret key", AccessKey!.SecretAccessKey!);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: "sts:AssumeRole" },
      { Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" },
    ],
  });
  const { Role } = await people.send(new iam.CreateRoleCommand({ RoleName: "r", AssumeRolePolicyDocument }));
  await passwords(people);

  const tokens = new sts.STSClient(configuration());
  const assumed = await tokens.send(new sts.AssumeRoleCommand({ RoleArn: Role!.Arn!, RoleSessionName: "session" }));
  const sessions = [
    assumed.Credentials!,
    (await tokens.send(new sts.GetSessionTokenCommand({}))).Credentials!,
    (await tokens.send(new sts.GetFederationTokenCommand({ Name: "federated" }))).Credentials!,
  ];
  for (const [index, session] of sessions.entries()) {
    secrets.set(`session ${index}'s secret key`, session.SecretAccessKey!);
    secrets.set(`session ${index}'s token`, session.SessionToken!);
    const {
      AccessKeyId: accessKeyId = "",
      SecretAccessKey: secretAccessKey = "",
      SessionToken: sessionToken,
    } = session;
    const own = new sts.STSClient(
      configuration({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }),
    );
    await own.send(new sts.GetCallerIdentityCommand({}));
    // Denied or not, it is in the audit trail.
    const denied = new iam.IAMClient(
      configuration({ accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }),
    );
    await denied.send(new iam.CreateUserCommand({ UserName: `x${index}` })).catch(() => {});
  }

  const builds = new codebuild.CodeBuildClient(configuration());
  for (const [serverType, authType] of [
    ["GITHUB", "PERSONAL_ACCESS_TOKEN"],
    ["BITBUCKET", "BASIC_AUTH"],
  ] as const) {
    const token = `source-token-${serverType}-5f2c81`;
    secrets.set(`the source credentials of ${serverType}`, token);
    await builds.send(new codebuild.ImportSourceCredentialsCommand({ token, serverType, authType, username: "u" }));
  }
  await assert.rejects(
    builds.send(
      new codebuild.ImportSourceCredentialsCommand({
        token: refused("source-token"),
        serverType: "GITHUB",
        authType: "PERSONAL_ACCESS_TOKEN",
        shouldOverwrite: false,
      }),
    ),
  );
  await builds.send(
    new codebuild.CreateProjectCommand({
      name: "project",
      source: { type: "GITHUB", location: "https://github.com/o/r.git" },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: {
        type: "LINUX_CONTAINER",
        image: "aws/codebuild/standard:7.0",
        computeType: "BUILD_GENERAL1_SMALL",
      },
      serviceRole: Role!.Arn!,
    }),
  );
  const { webhook } = await builds.send(
    new codebuild.CreateWebhookCommand({ projectName: "project", manualCreation: true }),
  );
  secrets.set("the webhook's secret", webhook!.secret!);
  await fetch(webhook!.payloadUrl!, {
    method: "POST",
    body: "{}",
    headers: { "x-github-event": "ping", "x-hub-signature-256": gitHubSignature(webhook!.secret!, Buffer.from("{}")) },
  });
  const rotated = await builds.send(new codebuild.UpdateWebhookCommand({ projectName: "project", rotateSecret: true }));
  secrets.set("the webhook's new secret", rotated.webhook!.secret!);

  const registry = new ecr.ECRClient(configuration());
  const { authorizationData } = await registry.send(new ecr.GetAuthorizationTokenCommand({}));
  const authorization = authorizationData![0]!.authorizationToken!;
  secrets.set("the registry's authorization token", authorization);
  secrets.set("the registry's password", Buffer.from(authorization, "base64").toString().slice("AWS:".length));
  await fetch(`${slipway.url}/v2/${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/none/manifests/1`, {
    headers: { authorization: `Basic ${authorization}` },
  });

  const keys = new kms.KMSClient(configuration());
  const { KeyMetadata } = await keys.send(new kms.CreateKeyCommand({}));
  const dataKey = await keys.send(new kms.GenerateDataKeyCommand({ KeyId: KeyMetadata!.KeyId!, KeySpec: "AES_256" }));
  secrets.set("a data key", Buffer.from(dataKey.Plaintext!).toString("base64"));
  const plaintext = "plaintext-of-kms-77aa";
  secrets.set("what KMS encrypted", plaintext);
  await keys.send(new kms.EncryptCommand({ KeyId: KeyMetadata!.KeyId!, Plaintext: Buffer.from(plaintext) }));
  await assert.rejects(
    keys.send(new kms.EncryptCommand({ KeyId: "alias/none", Plaintext: Buffer.from(refused("plaintext")) })),
  );

  const buckets = new s3.S3Client({ ...configuration(), forcePathStyle: true });
  await buckets.send(new s3.CreateBucketCommand({ Bucket: "b-secrets" }));
  const url = await getSignedUrl(buckets, new s3.GetObjectCommand({ Bucket: "b-secrets", Key: "none" }));
  await fetch(url);
  secrets.set("a presigned URL's signature", new URL(url).searchParams.get("X-Amz-Signature")!);

  const { system } = slipway;
  const grant = {
    roleArn: Role!.Arn!,
    service: "codebuild.amazonaws.com",
    sessionName: "session",
    accountId: ACCOUNT,
    region: REGION,
    groupId: "none",
  };
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI = "" } = await containerEnvironment(system, grant);
  const { pathname } = new URL(AWS_CONTAINER_CREDENTIALS_FULL_URI);
  await fetch(slipway.url + pathname);
  secrets.set("a container's grant", pathname.slice(pathname.lastIndexOf("/") + 1));
}

/** One that was refused is not kept either, nor named in the audit trail. */
function refused(what: string): string {
  const secret = `${what}-that-was-refused-${createHash("sha256").update(what).digest("hex").slice(0, 8)}`;
  secrets.set(`the refused ${what}`, secret);
  return secret;
}

/** As soon as they are built. */
async function passwords(people: iam.IAMClient): Promise<void> {
  const service = services.find(({ name }) => name === "iam")!;
  await service.load();
  const { operations } = service;
  if (operations.get("CreateLoginProfile")?.operation) {
    const Password = "Login-Password-81c2!";
    secrets.set("a login profile's password", Password);
    await people.send(new iam.CreateLoginProfileCommand({ UserName: "u", Password }));
    const weak = { UserName: "nobody", Password: refused("Password") };
    await assert.rejects(people.send(new iam.CreateLoginProfileCommand(weak)));
  }
  if (operations.get("CreateVirtualMFADevice")?.operation) {
    const created = await people.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "m" }));
    const seed = Buffer.from(created.VirtualMFADevice!.Base32StringSeed!);
    // A blob of the model: base64 of the base32 text.
    secrets.set("an MFA device's seed", seed.toString());
  }
}

async function files(): Promise<{ name: string; content: Buffer }[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map(async (path) => ({ name: path.slice(dataDir.length + 1), content: await readFile(path) })),
  );
}

test("no secret is in clear in the data folder or the log", async () => {
  const found = await files();
  for (const part of ["slipway.db", "audit/"])
    assert.ok(
      found.some(({ name }) => name.startsWith(part)),
      part,
    );
  assert.ok(secrets.size >= 18, `${secrets.size} secrets`);
  const leaks: string[] = [];
  for (const [what, secret] of secrets) {
    const forms = [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)];
    for (const { name, content } of found) {
      if (KEY_FILES.includes(name)) continue;
      if (forms.some((form) => content.includes(form))) leaks.push(`${what} is in ${name}`);
    }
    if (forms.some((form) => logged.some((line) => line.includes(form)))) leaks.push(`${what} is in the log`);
  }
  assert.deepEqual(leaks, []);
});

test("the master key and everything else with a secret are for their owner only", async () => {
  const key = readFileSync(join(dataDir, "master.key"), "utf8");
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(statSync(dataDir).mode & 0o077, 0);
  for (const { name, content } of await files()) {
    const isKey = content.includes(key) || content.includes("PRIVATE KEY");
    if (isKey) assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name);
    if (isKey) assert.ok(KEY_FILES.includes(name), `${name} holds a key`);
  }
});

test("another master key opens nothing: the start says so instead of making new keys", async () => {
  process.env.SLIPWAY_MASTER_KEY = "ab".repeat(32);
  try {
    const options = {
      dataDir,
      port: 0,
      accountId: ACCOUNT,
      region: REGION,
      engine: () => new FakeEngine(),
      log: () => {},
    };
    await assert.rejects(startSlipway(options), /another master key/);
  } finally {
    delete process.env.SLIPWAY_MASTER_KEY;
  }
});
