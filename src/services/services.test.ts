/** What every service promises: in its README, and in the names of what it authorises. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import * as sts from "@aws-sdk/client-sts";
import type { Operation } from "#gateway/operation.ts";
import { Registry } from "#gateway/registry.ts";
import { defineService, type Service } from "#gateway/service.ts";
import { services } from "./services.ts";

await Promise.all(services.map((service) => service.load()));

const FOLDER = new URL(".", import.meta.url);

describe("the services", () => {
  it("are the folders beside this file", () => {
    const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(services.map(({ name }) => name).sort(), folders.map(({ name }) => name).sort());
  });

  it("can be told apart by what a request names", () => {
    new Registry(services); // throws where two answer to the same signing name or target
    for (const members of [
      services.map(({ signingName }) => signingName),
      services.map(({ endpointPrefix }) => endpointPrefix),
    ]) {
      assert.equal(new Set(members).size, services.length, members.join(", "));
    }
    const [one] = services;
    assert.throws(() => new Registry([one!, one!]), /both answer to/);
  });

  it("have no operation that AWS does not have", async () => {
    const define = (operations: object) =>
      defineService({
        name: "sts",
        sdk: sts,
        Client: sts.STSClient,
        operations,
        limits: {},
        validation: { code: "ValidationError" },
        migrations: [],
      });
    await assert.rejects(
      async () => define({ MakeCoffee: {} }).load(),
      /MakeCoffee is in the operation table but not in the SDK's model/,
    );
    await assert.rejects(
      async () => define({ AssumeRole: undefined }).load(),
      /AssumeRole is in the operation table without a handler/,
    );
  });
});

for (const service of services) {
  describe(service.name, () => {
    const names = [...service.operations.keys()].sort();
    const built = names.filter((name) => service.operations.get(name)?.operation);

    it("has a README that lists what is built and what is not", () => {
      const readme = readFileSync(new URL(`${service.name}/README.md`, FOLDER), "utf8");
      const lines = readme.split("\n").filter((line) => line.startsWith("- ["));
      const expected = names.map((name) => `- [${built.includes(name) ? "x" : " "}] ${name}`);
      assert.deepEqual(lines.sort(), expected.sort());
      const counts = readme.match(/\d+ \/ \d+ operations are built\./g);
      assert.deepEqual(counts, [`${built.length} / ${names.length} operations are built.`]);
    });

    for (const name of built) {
      it(`authorises ${name} by AWS's name for it`, () => {
        const { authorize } = service.operations.get(name)!.operation!;
        if (authorize === "always") return assert.ok(UNAUTHORISED.has(`${service.name}:${name}`));
        const known = OTHER_ACTIONS[`${actionPrefix(service)}:${name}`] ?? [name];
        assert.deepEqual(
          actionsOf(authorize.action),
          known.map((action) => `${actionPrefix(service)}:${action}`).sort(),
        );
      });
    }
  });
}

/**
 * What AWS lets every caller do (https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html), and
 * DeleteObjects, which is authorised for each of its keys and answers those that may not be deleted.
 */
const UNAUTHORISED: ReadonlySet<string> = new Set(["s3:DeleteObjects", "sts:GetCallerIdentity", "sts:GetSessionToken"]);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html */
function actionPrefix({ name }: Service): string {
  return name === "elbv2" ? "elasticloadbalancing" : name;
}

/** An action may depend on the input: S3 has actions of their own for versions of objects. */
function actionsOf(action: Exclude<Operation["authorize"], "always">["action"]): readonly string[] {
  if (typeof action === "string") return [action];
  const inputs = [{}, { VersionId: "v", CopySource: "bucket/key?versionId=v" }] as never[];
  return [...new Set(inputs.map(action))].sort();
}

/** Operations whose action has another name, or more than one. */
const OTHER_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "ecr:ListImageReferrers": ["BatchGetImage"],
  "iam:AcquireRole": ["GetRoleTemplateVersion"], // and what making or finding the role takes, which it asks for itself
  "kms:ReEncrypt": ["ReEncryptFrom"], // and ReEncryptTo for the other key, which it asks for itself
  "s3:CompleteMultipartUpload": ["PutObject"],
  "s3:CopyObject": ["PutObject"],
  "s3:CreateMultipartUpload": ["PutObject"],
  "s3:DeleteBucketEncryption": ["PutEncryptionConfiguration"],
  "s3:DeleteBucketLifecycle": ["PutLifecycleConfiguration"],
  "s3:DeleteBucketOwnershipControls": ["PutBucketOwnershipControls"],
  "s3:DeleteBucketTagging": ["PutBucketTagging"],
  "s3:DeleteObject": ["DeleteObject", "DeleteObjectVersion"],
  "s3:DeleteObjectTagging": ["DeleteObjectTagging", "DeleteObjectVersionTagging"],
  "s3:DeletePublicAccessBlock": ["PutBucketPublicAccessBlock"],
  "s3:GetBucketEncryption": ["GetEncryptionConfiguration"],
  "s3:GetBucketLifecycleConfiguration": ["GetLifecycleConfiguration"],
  "s3:GetObject": ["GetObject", "GetObjectVersion"],
  "s3:GetObjectAcl": ["GetObjectAcl", "GetObjectVersionAcl"],
  "s3:GetObjectAttributes": ["GetObjectAttributes", "GetObjectVersionAttributes"],
  "s3:GetObjectTagging": ["GetObjectTagging", "GetObjectVersionTagging"],
  "s3:GetPublicAccessBlock": ["GetBucketPublicAccessBlock"],
  "s3:HeadBucket": ["ListBucket"],
  "s3:HeadObject": ["GetObject", "GetObjectVersion"],
  "s3:ListBuckets": ["ListAllMyBuckets"],
  "s3:ListMultipartUploads": ["ListBucketMultipartUploads"],
  "s3:ListObjects": ["ListBucket"],
  "s3:ListObjectsV2": ["ListBucket"],
  "s3:ListObjectVersions": ["ListBucketVersions"],
  "s3:ListParts": ["ListMultipartUploadParts"],
  "s3:PutBucketEncryption": ["PutEncryptionConfiguration"],
  "s3:PutBucketLifecycleConfiguration": ["PutLifecycleConfiguration"],
  "s3:PutObjectTagging": ["PutObjectTagging", "PutObjectVersionTagging"],
  "s3:PutPublicAccessBlock": ["PutBucketPublicAccessBlock"],
  "s3:UploadPart": ["PutObject"],
  "s3:UploadPartCopy": ["PutObject"],
};
