/** Passwords of users. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html */
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { WireError } from "#gateway/errors.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import {
  alreadyExists,
  invalidUserType,
  noSuchEntity,
  notFound,
  temporarilyUnmodifiable,
  validationError,
} from "../errors.ts";
import type { Entity } from "../model.ts";
import { passwordHashing } from "../password-hash.ts";
import { MAX_REMEMBERED, requireNew, requireStrong } from "../password-rules.ts";
import { signedIn } from "../sign-in.ts";
import { findAlias } from "../store/account-aliases.ts";
import { accountSettings } from "../store/account-settings.ts";
import {
  deleteLoginProfile,
  findLoginProfile,
  insertLoginProfile,
  type LoginProfile,
  updateLoginProfile,
} from "../store/login-profiles.ts";
import { ownPasswordPolicy } from "./own-password.ts";
import { about, callersUserName, existing, refOf, userNameOf } from "./support.ts";

export const CreateLoginProfile: OperationOf<sdk.CreateLoginProfileCommand> = {
  authorize: about("user", "CreateLoginProfile", userNameOf),
  async run(input, call) {
    if (input.Password === undefined) throw validationError("Password is required.");
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    await requireConforming(call, input.Password, []);
    const profile: LoginProfile = {
      accountId: call.accountId,
      userId: user.id,
      passwordHashes: [await passwordHashing(call.system).hash(input.Password)],
      resetRequired: input.PasswordResetRequired ?? false,
      createdAt: call.now,
      changedAt: call.now,
    };
    await inTransaction(call.db, async (trx) => {
      if ((await existing(trx, user)).id !== user.id) throw notFound("user", user.name); // another of that name by now
      if (await findLoginProfile(trx, call.accountId, user.id)) {
        throw alreadyExists(`Login Profile for user ${user.name} already exists.`);
      }
      await insertLoginProfile(trx, profile);
    });
    return { LoginProfile: toLoginProfile(user, profile) };
  },
};

export const GetLoginProfile: OperationOf<sdk.GetLoginProfileCommand> = {
  authorize: about("user", "GetLoginProfile", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    return { LoginProfile: toLoginProfile(user, await required(call.db, user)) };
  },
};

/** What is not given stays as it is. */
export const UpdateLoginProfile: OperationOf<sdk.UpdateLoginProfileCommand> = {
  authorize: about("user", "UpdateLoginProfile", (input) => input.UserName!),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", input.UserName!));
    const profile = await required(call.db, user);
    const resetRequired = input.PasswordResetRequired ?? profile.resetRequired;
    await replacePassword(call, user, profile, input.Password, resetRequired);
    return {};
  },
};

export const DeleteLoginProfile: OperationOf<sdk.DeleteLoginProfileCommand> = {
  authorize: about("user", "DeleteLoginProfile", userNameOf),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", userNameOf(input, call)));
      await deleteLoginProfile(trx, await required(trx, user));
    });
    return {};
  },
};

/**
 * A password policy with AllowUsersToChangePassword gives every user of the account the permission for its own.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_enable-user-change.html
 */
export const ChangePassword: OperationOf<sdk.ChangePasswordCommand> = {
  authorize: {
    action: "iam:ChangePassword",
    resources: (_input, call) => [call.principal.arn],
    resourcePolicy: async (_resource, _input, call) => ownPasswordPolicy(call),
  },
  async run(input, call) {
    if (call.principal.type !== "User") throw invalidUserType("Only IAM Users can change their own password");
    const user = await existing(call.db, refOf(call, "user", callersUserName(call)));
    const profile = await signedIn(call.system, call.db, await required(call.db, user), input.OldPassword!);
    if (!profile) throw new WireError("AccessDenied", 403, "The old password is incorrect.");
    await replacePassword(call, user, profile, input.NewPassword!, false);
    return {};
  },
};

async function required(db: Database, user: Entity): Promise<LoginProfile> {
  const profile = await findLoginProfile(db, user.accountId, user.id);
  if (!profile) throw noSuchEntity(`Login Profile for User ${user.name} cannot be found.`);
  return profile;
}

/** Throws PasswordPolicyViolation. */
async function requireConforming(call: Call, password: string, hashes: readonly string[]): Promise<void> {
  const { passwordPolicy } = await accountSettings(call.db, call.accountId);
  const alias = await findAlias(call.db, call.accountId);
  requireStrong(password, passwordPolicy, [call.accountId, ...(alias === undefined ? [] : [alias])]);
  await requireNew(password, passwordPolicy, hashes);
}

/** Hashing takes its time, so it is done before the transaction, which then holds only if the old password still does. */
async function replacePassword(
  call: Call,
  user: Entity,
  profile: LoginProfile,
  password: string | undefined,
  resetRequired: boolean,
): Promise<void> {
  let changes: Partial<LoginProfile> = { resetRequired };
  if (password !== undefined) {
    await requireConforming(call, password, profile.passwordHashes);
    const hash = await passwordHashing(call.system).hash(password);
    const passwordHashes = [hash, ...profile.passwordHashes].slice(0, MAX_REMEMBERED);
    changes = { resetRequired, passwordHashes, changedAt: call.now };
  }
  if (!(await updateLoginProfile(call.db, profile, changes))) {
    throw temporarilyUnmodifiable(`Login Profile for User ${user.name} cannot be modified while it is being changed.`);
  }
}

function toLoginProfile(user: Entity, profile: LoginProfile): sdk.LoginProfile {
  return { UserName: user.name, CreateDate: profile.createdAt, PasswordResetRequired: profile.resetRequired };
}
