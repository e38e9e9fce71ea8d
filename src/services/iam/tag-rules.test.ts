import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import { newAuthority, samlIssuer, samlMetadata } from "#gateway/federation/testing.ts";
import { newLeaf } from "#gateway/tls-certificates.ts";
import type { TestSystem } from "#tests/helpers/test-system.ts";
import { iamSystem, policy, trust } from "./testing.ts";

type Tags = sdk.Tag[];

interface Tagged {
  readonly kind: string;
  readonly keys: "caseless" | "exact";
  /** The commands about one that was made with `Tags`. */
  make(
    system: TestSystem,
    Tags: Tags,
  ): Promise<{
    tag(Tags: Tags): Promise<unknown>;
    untag(TagKeys: string[]): Promise<unknown>;
    list(): Promise<{ Tags?: Tags | undefined }>;
  }>;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules has the two lists. */
const KINDS: readonly Tagged[] = [
  {
    kind: "a role",
    keys: "caseless",
    async make({ root }, Tags) {
      const RoleName = "r";
      const AssumeRolePolicyDocument = trust("codebuild.amazonaws.com");
      await root.send(new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Tags }));
      return {
        tag: (Tags) => root.send(new sdk.TagRoleCommand({ RoleName, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagRoleCommand({ RoleName, TagKeys })),
        list: () => root.send(new sdk.ListRoleTagsCommand({ RoleName })),
      };
    },
  },
  {
    kind: "a user",
    keys: "caseless",
    async make({ root }, Tags) {
      const UserName = "u";
      await root.send(new sdk.CreateUserCommand({ UserName, Tags }));
      return {
        tag: (Tags) => root.send(new sdk.TagUserCommand({ UserName, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagUserCommand({ UserName, TagKeys })),
        list: () => root.send(new sdk.ListUserTagsCommand({ UserName })),
      };
    },
  },
  {
    kind: "a customer managed policy",
    keys: "exact",
    async make({ root }, Tags) {
      const PolicyDocument = policy("Allow", "s3:*");
      const made = await root.send(new sdk.CreatePolicyCommand({ PolicyName: "p", PolicyDocument, Tags }));
      const PolicyArn = made.Policy!.Arn!;
      return {
        tag: (Tags) => root.send(new sdk.TagPolicyCommand({ PolicyArn, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagPolicyCommand({ PolicyArn, TagKeys })),
        list: () => root.send(new sdk.ListPolicyTagsCommand({ PolicyArn })),
      };
    },
  },
  {
    kind: "an instance profile",
    keys: "exact",
    async make({ root }, Tags) {
      const InstanceProfileName = "i";
      await root.send(new sdk.CreateInstanceProfileCommand({ InstanceProfileName, Tags }));
      return {
        tag: (Tags) => root.send(new sdk.TagInstanceProfileCommand({ InstanceProfileName, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagInstanceProfileCommand({ InstanceProfileName, TagKeys })),
        list: () => root.send(new sdk.ListInstanceProfileTagsCommand({ InstanceProfileName })),
      };
    },
  },
  {
    kind: "an OpenID Connect provider",
    keys: "exact",
    async make({ root }, Tags) {
      const provider = { Url: "https://issuer.example.com", ThumbprintList: ["a".repeat(40)], Tags };
      const made = await root.send(new sdk.CreateOpenIDConnectProviderCommand(provider));
      const about = { OpenIDConnectProviderArn: made.OpenIDConnectProviderArn! };
      return {
        tag: (Tags) => root.send(new sdk.TagOpenIDConnectProviderCommand({ ...about, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagOpenIDConnectProviderCommand({ ...about, TagKeys })),
        list: () => root.send(new sdk.ListOpenIDConnectProviderTagsCommand(about)),
      };
    },
  },
  {
    kind: "a SAML provider",
    keys: "exact",
    async make({ root }, Tags) {
      const provider = { Name: "s", SAMLMetadataDocument: samlMetadata(await samlIssuer()), Tags };
      const made = await root.send(new sdk.CreateSAMLProviderCommand(provider));
      const about = { SAMLProviderArn: made.SAMLProviderArn! };
      return {
        tag: (Tags) => root.send(new sdk.TagSAMLProviderCommand({ ...about, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagSAMLProviderCommand({ ...about, TagKeys })),
        list: () => root.send(new sdk.ListSAMLProviderTagsCommand(about)),
      };
    },
  },
  {
    kind: "a server certificate",
    keys: "exact",
    async make({ root }, Tags) {
      const { certificatePem, privateKeyPem } = await newLeaf("example.com", await newAuthority());
      const about = { ServerCertificateName: "c" };
      const certificate = { ...about, CertificateBody: certificatePem, PrivateKey: privateKeyPem, Tags };
      await root.send(new sdk.UploadServerCertificateCommand(certificate));
      return {
        tag: (Tags) => root.send(new sdk.TagServerCertificateCommand({ ...about, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagServerCertificateCommand({ ...about, TagKeys })),
        list: () => root.send(new sdk.ListServerCertificateTagsCommand(about)),
      };
    },
  },
  {
    kind: "a virtual MFA device",
    keys: "exact",
    async make({ root }, Tags) {
      const made = await root.send(new sdk.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "m", Tags }));
      const about = { SerialNumber: made.VirtualMFADevice!.SerialNumber! };
      return {
        tag: (Tags) => root.send(new sdk.TagMFADeviceCommand({ ...about, Tags })),
        untag: (TagKeys) => root.send(new sdk.UntagMFADeviceCommand({ ...about, TagKeys })),
        list: () => root.send(new sdk.ListMFADeviceTagsCommand(about)),
      };
    },
  },
];

const UPPER = { Key: "Costcenter", Value: "1234" };
const LOWER = { Key: "costcenter", Value: "5678" };

for (const { kind, keys, make } of KINDS) {
  test(`the tag keys of ${kind} are ${keys}`, async () => {
    await using system = await iamSystem();
    if (keys === "caseless") {
      await assert.rejects(make(system, [UPPER, LOWER]), /Duplicate tag keys found/);
      const made = await make(system, [UPPER]);
      await made.tag([LOWER]);
      assert.deepEqual((await made.list()).Tags, [LOWER]);
      await made.untag(["COSTCENTER"]);
      assert.deepEqual((await made.list()).Tags, []);
      return;
    }
    await assert.rejects(make(system, [LOWER, LOWER]), /Duplicate tag keys found/);
    const made = await make(system, [UPPER]);
    await made.tag([LOWER]);
    assert.deepEqual((await made.list()).Tags, [UPPER, LOWER]);
    await made.untag(["COSTCENTER"]);
    await made.untag(["Costcenter"]);
    assert.deepEqual((await made.list()).Tags, [LOWER]);
  });
}
