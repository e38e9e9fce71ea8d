/** SSH public keys for CodeCommit. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UploadSSHPublicKey.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { duplicateSshPublicKey, overQuota } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Entity } from "../model.ts";
import { fingerprintOf, parsePublicKey, toPem, toSsh } from "../public-keys.ts";
import { insertUserCredential, listUserCredentials, type UserCredential } from "../store/user-credentials.ts";
import { about, existing, pageOf, refOf, userNameOf } from "./support.ts";
import { changeStatus, removeCredential, requiredCredential } from "./user-credentials.ts";

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_KEYS_OF_USER = 5;

function toMetadata(user: Entity, key: UserCredential) {
  return { UserName: user.name, SSHPublicKeyId: key.id, Status: key.status, UploadDate: key.createdAt };
}

function toKey(user: Entity, key: UserCredential, body: string): sdk.SSHPublicKey {
  const Fingerprint = fingerprintOf(parsePublicKey(key.body));
  return { ...toMetadata(user, key), Fingerprint, SSHPublicKeyBody: body };
}

export const UploadSSHPublicKey: OperationOf<sdk.UploadSSHPublicKeyCommand> = {
  authorize: about("user", "UploadSSHPublicKey", (input) => input.UserName!),
  async run(input, call) {
    const body = input.SSHPublicKeyBody!;
    const encoded = toSsh(parsePublicKey(body));
    return inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      const others = await listUserCredentials(trx, call.accountId, "ssh", user.id);
      if (others.some((other) => toSsh(parsePublicKey(other.body)) === encoded)) {
        throw duplicateSshPublicKey("The SSH public key is already associated with this user.");
      }
      if (others.length >= MAX_KEYS_OF_USER) throw overQuota("SSHPublicKeysPerUser", MAX_KEYS_OF_USER);
      const key: UserCredential = {
        id: newId("SSH public key"),
        accountId: call.accountId,
        userId: user.id,
        kind: "ssh",
        status: "Active",
        createdAt: call.now,
        body,
        service: undefined,
      };
      await insertUserCredential(trx, key);
      return { SSHPublicKey: toKey(user, key, body) };
    });
  },
};

export const GetSSHPublicKey: OperationOf<sdk.GetSSHPublicKeyCommand> = {
  authorize: about("user", "GetSSHPublicKey", (input) => input.UserName!),
  async run(input, call) {
    const { user, credential } = await requiredCredential(call.db, call, "ssh", input, input.SSHPublicKeyId!);
    const key = parsePublicKey(credential.body);
    return { SSHPublicKey: toKey(user, credential, input.Encoding === "PEM" ? toPem(key) : toSsh(key)) };
  },
};

export const ListSSHPublicKeys: OperationOf<sdk.ListSSHPublicKeysCommand> = {
  authorize: about("user", "ListSSHPublicKeys", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    const keys = await listUserCredentials(call.db, call.accountId, "ssh", user.id);
    const { items, ...rest } = await pageOf(input, keys, ({ id }) => id);
    return { SSHPublicKeys: items.map((key) => toMetadata(user, key)), ...rest };
  },
};

export const UpdateSSHPublicKey: OperationOf<sdk.UpdateSSHPublicKeyCommand> = {
  authorize: about("user", "UpdateSSHPublicKey", (input) => input.UserName!),
  run: (input, call) => changeStatus(call, "ssh", input, input.SSHPublicKeyId!),
};

export const DeleteSSHPublicKey: OperationOf<sdk.DeleteSSHPublicKeyCommand> = {
  authorize: about("user", "DeleteSSHPublicKey", (input) => input.UserName!),
  run: (input, call) => removeCredential(call, "ssh", input, input.SSHPublicKeyId!),
};
