/** KMS's nouns, their ARNs, and how the API shows them. */
import type * as sdk from "@aws-sdk/client-kms";
import type { KeyState } from "./states.ts";

export interface Key {
  /** A UUID. */
  readonly id: string;
  readonly accountId: string;
  readonly region: string;
  /** AWS: made for a service on first use, and only the service may use it. */
  readonly manager: "AWS" | "CUSTOMER";
  readonly state: KeyState;
  readonly description: string;
  /** JSON. */
  readonly policy: string;
  /** 32 bytes, sealed by the system's cipher. */
  readonly sealedMaterial: string;
  readonly createdAt: Date;
  /** Of a key that is pending deletion. */
  readonly deletionAt: Date | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly rotation: { readonly periodInDays: number; readonly since: Date } | undefined;
}

export interface Alias {
  /** "alias/…" */
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly keyId: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface Place {
  readonly accountId: string;
  readonly region: string;
}

export function keyArn({ accountId, region, id }: Place & { readonly id: string }): string {
  return `arn:aws:kms:${region}:${accountId}:key/${id}`;
}

/** `name` begins with "alias/". */
export function aliasArn({ accountId, region }: Place, name: string): string {
  return `arn:aws:kms:${region}:${accountId}:${name}`;
}

export function toMetadata(key: Key): sdk.KeyMetadata {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.id,
    Arn: keyArn(key),
    CreationDate: key.createdAt,
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    ...(key.deletionAt && { DeletionDate: key.deletionAt }),
    Origin: "AWS_KMS",
    KeyManager: key.manager,
    CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
    KeySpec: "SYMMETRIC_DEFAULT",
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    MultiRegion: false,
  };
}

export function toAliasEntry(alias: Alias): sdk.AliasListEntry {
  return {
    AliasName: alias.name,
    AliasArn: aliasArn(alias, alias.name),
    TargetKeyId: alias.keyId,
    CreationDate: alias.createdAt,
    LastUpdatedDate: alias.updatedAt,
  };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
export function defaultKeyPolicy(accountId: string): string {
  return JSON.stringify(
    {
      Version: "2012-10-17",
      Id: "key-default-1",
      Statement: [
        {
          Sid: "Enable IAM User Permissions",
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${accountId}:root` },
          Action: "kms:*",
          Resource: "*",
        },
      ],
    },
    null,
    2,
  );
}
