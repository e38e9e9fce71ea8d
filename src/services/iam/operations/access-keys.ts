/** Long-term access keys. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
import type * as sdk from "@aws-sdk/client-iam";
import { newAccessKeyId } from "#gateway/access-key-id.ts";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import type { Database } from "#store/database.ts";
import { idNotFound, overQuota } from "../errors.ts";
import { SECRET_PURPOSE } from "../identities.ts";
import { newSecretAccessKey } from "../ids.ts";
import {
  deleteAccessKey,
  findAccessKey,
  insertAccessKey,
  listAccessKeys,
  updateAccessKeyStatus,
} from "../store/access-keys.ts";
import { keyOf } from "../store/entities.ts";
import { about, changing, existing, pageOf, refOf, userNameOf } from "./support.ts";
import { checkedStatus } from "./user-credentials.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_KEYS_OF_USER = 2;

/** The only answer that ever has the secret. */
export const CreateAccessKey: OperationOf<sdk.CreateAccessKeyCommand> = {
  authorize: about("user", "CreateAccessKey", userNameOf),
  async run(input, call) {
    const accessKeyId = newAccessKeyId("AKIA", call.accountId);
    const secretAccessKey = newSecretAccessKey();
    const user = await changing(call, async (trx) => {
      const found = await existing(trx, refOf(call, "user", userNameOf(input, call)));
      if ((await listAccessKeys(trx, found)).length >= MAX_KEYS_OF_USER) {
        throw overQuota("AccessKeysPerUser", MAX_KEYS_OF_USER);
      }
      await insertAccessKey(trx, {
        accessKeyId,
        accountId: call.accountId,
        userName: found.name,
        status: "Active",
        createdAt: call.now,
        lastUsed: undefined,
        sealedSecret: call.system.cipher.seal(SECRET_PURPOSE, secretAccessKey),
      });
      return found;
    });
    return {
      AccessKey: {
        UserName: user.name,
        AccessKeyId: accessKeyId,
        Status: "Active",
        SecretAccessKey: secretAccessKey,
        CreateDate: call.now,
      },
    };
  },
};

export const ListAccessKeys: OperationOf<sdk.ListAccessKeysCommand> = {
  authorize: about("user", "ListAccessKeys", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    const { items, ...rest } = await pageOf(input, await listAccessKeys(call.db, user), (key) => key.accessKeyId);
    const metadata = items.map((key) => ({
      UserName: key.userName,
      AccessKeyId: key.accessKeyId,
      Status: key.status,
      CreateDate: key.createdAt,
    }));
    return { AccessKeyMetadata: metadata, ...rest };
  },
};

export const UpdateAccessKey: OperationOf<sdk.UpdateAccessKeyCommand> = {
  authorize: about("user", "UpdateAccessKey", userNameOf),
  async run(input, call) {
    const status = checkedStatus(input.Status);
    await changing(call, async (trx) => {
      await requireKeyOfUser(trx, call, userNameOf(input, call), input.AccessKeyId!);
      await updateAccessKeyStatus(trx, input.AccessKeyId!, status);
    });
    return {};
  },
};

export const DeleteAccessKey: OperationOf<sdk.DeleteAccessKeyCommand> = {
  authorize: about("user", "DeleteAccessKey", userNameOf),
  async run(input, call) {
    await changing(call, async (trx) => {
      await requireKeyOfUser(trx, call, userNameOf(input, call), input.AccessKeyId!);
      await deleteAccessKey(trx, input.AccessKeyId!);
    });
    return {};
  },
};

/** A key that was never used has no date, and "N/A" for service and region. */
export const GetAccessKeyLastUsed: OperationOf<sdk.GetAccessKeyLastUsedCommand> = {
  authorize: {
    action: "iam:GetAccessKeyLastUsed",
    async resources(input, call) {
      const key = await findAccessKey(call.db, input.AccessKeyId!);
      if (key?.accountId !== call.accountId) return ["*"];
      return about<typeof input>("user", "GetAccessKeyLastUsed", () => key.userName).resources(input, call);
    },
  },
  async run(input, call) {
    await call.system.identities.flush?.(call.db);
    const key = await findAccessKey(call.db, input.AccessKeyId!);
    if (key?.accountId !== call.accountId) throw keyNotFound(input.AccessKeyId!);
    const { lastUsed } = key;
    return {
      UserName: key.userName,
      AccessKeyLastUsed: {
        LastUsedDate: lastUsed?.at,
        ServiceName: lastUsed?.service ?? "N/A",
        Region: lastUsed?.region ?? "N/A",
      },
    };
  },
};

async function requireKeyOfUser(db: Database, call: Call, name: string, accessKeyId: string): Promise<void> {
  const user = await existing(db, refOf(call, "user", name));
  const key = await findAccessKey(db, accessKeyId);
  if (key?.accountId !== call.accountId || keyOf(key.userName) !== keyOf(user.name)) throw keyNotFound(accessKeyId);
}

function keyNotFound(accessKeyId: string): Error {
  return idNotFound("Access Key", accessKeyId);
}
