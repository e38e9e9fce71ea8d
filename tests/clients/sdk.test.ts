/** What the aws CLI does not do, with the JS SDK over real HTTP and TLS. */
import assert from "node:assert/strict";
import { createHash, type Hash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import * as s3 from "@aws-sdk/client-s3";
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { FinalizeRequestMiddleware, HttpRequest } from "@smithy/types";
import { Cipher } from "#gateway/cipher.ts";
import { openSession, sealSession } from "#gateway/session-token.ts";
import { SlipwayProcess } from "#tests/helpers/slipway-process.ts";

const MIB = 1024 * 1024;
const BUCKET = "sdk-test";

let slipway: SlipwayProcess;

before(async () => {
  slipway = await SlipwayProcess.start();
  await s3Client().send(new s3.CreateBucketCommand({ Bucket: BUCKET }));
});
after(() => slipway[Symbol.asyncDispose]());

function configuration() {
  const { url, region, accessKeyId, secretAccessKey } = slipway.running;
  return { endpoint: url, region, credentials: { accessKeyId, secretAccessKey } };
}

function s3Client(options: s3.S3ClientConfig = {}): s3.S3Client {
  return new s3.S3Client({ ...configuration(), forcePathStyle: true, ...options });
}

describe("a stream of 64 MiB", () => {
  const SIZE = 64 * MIB;

  for (const ChecksumAlgorithm of ["CRC32", "SHA256"] as const) {
    it(`goes in with a trailing ${ChecksumAlgorithm} and comes out the same`, async () => {
      const client = s3Client();
      const sent: Record<string, string>[] = [];
      client.middlewareStack.addRelativeTo(
        ((next) => (args) => {
          sent.push((args.request as HttpRequest).headers);
          return next(args);
        }) satisfies FinalizeRequestMiddleware<object, s3.ServiceOutputTypes>,
        { relation: "after", toMiddleware: "awsAuthMiddleware", name: "recordHeaders" },
      );
      const before = createHash("sha256");
      const Key = `big-${ChecksumAlgorithm}`;
      const put = await client.send(
        new s3.PutObjectCommand({
          Bucket: BUCKET,
          Key,
          Body: randomStream(SIZE, before),
          ContentLength: SIZE,
          ChecksumAlgorithm,
        }),
      );
      assert.match(sent[0]!["content-encoding"]!, /aws-chunked/);
      assert.equal(sent[0]!["x-amz-trailer"], `x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}`);
      assert.equal(put.$metadata.attempts, 1);

      const got = await client.send(new s3.GetObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: "ENABLED" }));
      assert.equal(got.ContentLength, SIZE);
      assert.equal(got.ContentEncoding, undefined, "aws-chunked is no encoding of the object");
      const checksum = `Checksum${ChecksumAlgorithm}` as const;
      assert.equal(got[checksum], put[checksum]);
      const after = createHash("sha256");
      // The SDK checks the checksum while it is read.
      for await (const chunk of got.Body as Readable) after.update(chunk as Buffer);
      const digest = before.digest("base64");
      assert.equal(after.digest("base64"), digest);
      if (ChecksumAlgorithm === "SHA256") assert.equal(put.ChecksumSHA256, digest);
    });
  }

  it("is refused and not kept when its checksum is another one", async () => {
    const Key = "wrong";
    const ChecksumCRC32 = "AAAAAA==";
    await assert.rejects(
      s3Client().send(new s3.PutObjectCommand({ Bucket: BUCKET, Key, Body: "content", ChecksumCRC32 })),
      { name: "BadDigest" },
    );
    await assert.rejects(s3Client().send(new s3.HeadObjectCommand({ Bucket: BUCKET, Key })), { name: "NotFound" });
  });
});

it("a multipart upload takes its parts in parallel", async () => {
  const client = s3Client();
  const object = { Bucket: BUCKET, Key: "parts" };
  const parts = [5, 5, 5, 1].map((size) => randomBytes(size * MIB));
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(object));
  const uploaded = await Promise.all(
    parts.map(async (Body, index) => {
      const PartNumber = index + 1;
      const { ETag } = await client.send(new s3.UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
      return { PartNumber, ETag };
    }),
  );
  const done = await client.send(
    new s3.CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: uploaded } }),
  );
  assert.match(done.ETag!, /^"[0-9a-f]{32}-4"$/);
  const whole = await client.send(new s3.GetObjectCommand(object));
  assert.ok(Buffer.concat(parts).equals(await whole.Body!.transformToByteArray()));
  const third = await client.send(new s3.GetObjectCommand({ ...object, PartNumber: 3 }));
  assert.equal(third.PartsCount, 4);
  assert.ok(parts[2]!.equals(await third.Body!.transformToByteArray()));
});

describe("a presigned URL", () => {
  const object = { Bucket: BUCKET, Key: "presigned/a b+ü.txt" };

  it("puts and gets without credentials", async () => {
    const put = await getSignedUrl(s3Client(), new s3.PutObjectCommand({ ...object, ContentType: "text/plain" }));
    const stored = await fetch(put, { method: "PUT", body: "by link", headers: { "content-type": "text/plain" } });
    assert.equal(stored.status, 200, await stored.text());
    const got = await fetch(await getSignedUrl(s3Client(), new s3.GetObjectCommand(object)));
    assert.equal(await got.text(), "by link");
    assert.equal(got.headers.get("content-type"), "text/plain");
  });

  const refused: readonly [string, (url: URL) => void, { signedAgoMs?: number }, RegExp][] = [
    ["is over", () => {}, { signedAgoMs: 3_600_000 }, /<Code>AccessDenied<\/Code><Message>Request has expired/],
    [
      "names another version",
      (url) => url.searchParams.set("versionId", "v"),
      {},
      /<Code>SignatureDoesNotMatch<\/Code>/,
    ],
    [
      "was prolonged",
      (url) => url.searchParams.set("X-Amz-Expires", "7200"),
      {},
      /<Code>SignatureDoesNotMatch<\/Code>/,
    ],
  ];
  for (const [what, change, { signedAgoMs = 0 }, says] of refused) {
    it(`is refused with 403 when it ${what}`, async () => {
      const signingDate = new Date(Date.now() - signedAgoMs);
      const url = new URL(
        await getSignedUrl(s3Client(), new s3.GetObjectCommand(object), { expiresIn: 60, signingDate }),
      );
      change(url);
      const answer = await fetch(url);
      assert.equal(answer.status, 403);
      assert.match(await answer.text(), says);
    });
  }

  it("is refused with 403 for another method than it was made for", async () => {
    const url = await getSignedUrl(s3Client(), new s3.GetObjectCommand(object));
    const answer = await fetch(url, { method: "DELETE" });
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
  });
});

it("a bucket may stand in the host", async () => {
  const lookup: LookupFunction = (_, options, callback) =>
    options.all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);
  const client = s3Client({
    endpoint: `http://localhost:${slipway.port}`,
    forcePathStyle: false,
    requestHandler: { httpAgent: new HttpAgent({ lookup }) },
  });
  const object = { Bucket: BUCKET, Key: "in/host.txt" };
  assert.match(await getSignedUrl(client, new s3.GetObjectCommand(object)), /^http:\/\/sdk-test\.localhost:/);
  await client.send(new s3.PutObjectCommand({ ...object, Body: "hosted" }));
  const got = await s3Client().send(new s3.GetObjectCommand(object));
  assert.equal(await got.Body!.transformToString(), "hosted");
  const listed = await client.send(new s3.ListObjectsV2Command({ Bucket: BUCKET, Prefix: "in/" }));
  assert.deepEqual(
    listed.Contents?.map(({ Key }) => Key),
    [object.Key],
  );
});

it("no error makes the SDK try again", async () => {
  const client = s3Client({ maxAttempts: 3 });
  const ecr = new ECRClient({ ...configuration(), maxAttempts: 3 });
  const failing = [
    () => client.send(new s3.GetObjectCommand({ Bucket: BUCKET, Key: "absent" })),
    () => client.send(new s3.PutObjectCommand({ Bucket: BUCKET, Key: "x", Body: "x", ChecksumCRC32: "AAAAAA==" })),
    () => client.send(new s3.PutBucketWebsiteCommand({ Bucket: BUCKET, WebsiteConfiguration: {} })),
    () => ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["absent"] })),
    () => ecr.send(new DescribeRepositoriesCommand({ nextToken: "forged" })),
  ];
  for (const send of failing) {
    await assert.rejects(send(), ({ $metadata }: s3.S3ServiceException) => $metadata.attempts === 1);
  }
});

describe("over TLS", () => {
  const endpoint = () => `https://127.0.0.1:${slipway.port}`;

  it("a client that has the CA bundle reaches every service at the same port", async () => {
    const ca = readFileSync(slipway.running.caBundle);
    const requestHandler = { httpsAgent: new HttpsAgent({ ca }) };
    const caller = new STSClient({ ...configuration(), endpoint: endpoint(), requestHandler });
    assert.equal((await caller.send(new GetCallerIdentityCommand({}))).Account, slipway.running.account);
    const client = s3Client({ endpoint: endpoint(), requestHandler });
    const object = { Bucket: BUCKET, Key: "secret.txt" };
    await client.send(new s3.PutObjectCommand({ ...object, Body: Readable.from(["over TLS"]), ContentLength: 8 }));
    const got = await client.send(new s3.GetObjectCommand(object));
    assert.equal(await got.Body!.transformToString(), "over TLS");
  });

  it("a client without it trusts nobody", async () => {
    const caller = new STSClient({ ...configuration(), endpoint: endpoint(), maxAttempts: 1 });
    await assert.rejects(caller.send(new GetCallerIdentityCommand({})), {
      code: /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/,
    });
  });
});

describe("a role's session", () => {
  let session: { accessKeyId: string; secretAccessKey: string; sessionToken: string };

  before(async () => {
    const iam = new IAMClient(configuration());
    const AssumeRolePolicyDocument = policy("sts:AssumeRole", {
      Principal: { AWS: `arn:aws:iam::${slipway.running.account}:root` },
    });
    const RoleName = "reader";
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = policy("ecr:DescribeRepositories", { Resource: "*" });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "read", PolicyDocument }));
    const { Credentials } = await new STSClient(configuration()).send(
      new AssumeRoleCommand({ RoleArn: Role!.Arn, RoleSessionName: "wire" }),
    );
    session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
  });

  const ecr = (credentials: typeof session) => new ECRClient({ ...configuration(), credentials });
  const describeAll = new DescribeRepositoriesCommand({});

  it("may do what its role may, and nothing else", async () => {
    assert.deepEqual((await ecr(session).send(describeAll)).repositories, []);
    await assert.rejects(s3Client({ credentials: session }).send(new s3.ListBucketsCommand({})), {
      name: "AccessDenied",
      message: /assumed-role\/reader\/wire is not authorized to perform: s3:ListAllMyBuckets/,
    });
  });

  it("is refused with a changed token, without its token, and with the token of another key", async () => {
    const { sessionToken, ...withoutToken } = session;
    const changed = `${sessionToken.slice(0, -2)}${sessionToken.endsWith("A") ? "BB" : "AA"}`;
    for (const credentials of [
      { ...withoutToken, sessionToken: changed },
      { ...withoutToken, sessionToken: `${sessionToken}=` },
      { ...withoutToken, sessionToken: "" },
      { ...session, accessKeyId: "ASIAIOSFODNN7EXAMPLE" },
    ]) {
      await assert.rejects(ecr(credentials).send(describeAll), { name: "UnrecognizedClientException" });
    }
  });

  it("is refused when it is over", async () => {
    // Sessions last 15 minutes at least: this one is made to have ended by the key that its Slipway seals them with.
    const cipher = Cipher.open(join(slipway.dataDir, "master.key"));
    const running = openSession(cipher, session.sessionToken);
    assert.ok(running);
    const sessionToken = sealSession(cipher, { ...running, expiration: Date.now() - 1000 });
    const message = "The security token included in the request is expired";
    await assert.rejects(ecr({ ...session, sessionToken }).send(describeAll), {
      name: "ExpiredTokenException",
      message,
    });
    await assert.rejects(s3Client({ credentials: { ...session, sessionToken } }).send(new s3.ListBucketsCommand({})), {
      name: "ExpiredToken",
    });
  });
});

function policy(Action: string, rest: object): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, ...rest }] });
}

/** In pieces that fit no chunk size; what it gave is in the hash when it has ended. */
function randomStream(size: number, hash: Hash): Readable {
  async function* pieces() {
    for (let left = size; left > 0; ) {
      const piece = randomBytes(Math.min(left, 99_991));
      hash.update(piece);
      left -= piece.length;
      yield piece;
    }
  }
  return Readable.from(pieces());
}
