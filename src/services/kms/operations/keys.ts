/** Keys. https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
import type * as sdk from "@aws-sdk/client-kms";
import type { Call } from "#gateway/context.ts";
import type { OperationOf } from "#gateway/operation.ts";
import { inTransaction } from "#store/database.ts";
import { newKey } from "../aws-managed-keys.ts";
import { KEY_DELETION } from "../deletion.ts";
import { invalidState, unsupported, unusable, validationException } from "../errors.ts";
import { callerContext, onKey, requiredKey, specKeys, usableKey } from "../key-access.ts";
import { checkedKeyPolicy } from "../key-policy-check.ts";
import { type Key, keyArn, toMetadata } from "../model.ts";
import { page } from "../paging.ts";
import { type KeyEvent, nextState } from "../states.ts";
import { insertKey, listKeys, updateKey } from "../store.ts";
import { merged, requestTags } from "../tag-rules.ts";

const DAY_MS = 86_400_000;
/** "The waiting period … must be between 7 and 30 days. … it defaults to 30." */
const MIN_WINDOW_DAYS = 7;
const MAX_WINDOW_DAYS = 30;
const LISTED = 100;

const keyId = (input: { KeyId: string | undefined }) => input.KeyId!;

export const CreateKey: OperationOf<sdk.CreateKeyCommand> = {
  authorize: {
    action: "kms:CreateKey",
    resources: () => ["*"],
    context: (input, call) => ({
      ...callerContext(call),
      ...requestTags(input.Tags),
      "kms:bypasspolicylockoutsafetycheck": String(input.BypassPolicyLockoutSafetyCheck ?? false),
      ...specKeys(specOf(input), input.KeyUsage ?? "ENCRYPT_DECRYPT"),
      "kms:keyorigin": input.Origin ?? "AWS_KMS",
      "kms:multiregion": String(input.MultiRegion ?? false),
      ...(input.MultiRegion && { "kms:multiregionkeytype": "PRIMARY" }),
    }),
    // Of a key that is not yet there; IAM policies alone are asked.
    additional: (input, call) =>
      input.Tags?.length
        ? [{ action: "kms:TagResource", resource: keyArn({ ...call, id: "*" }), context: requestTags(input.Tags) }]
        : [],
  },
  async run(input, call) {
    requireSymmetric(input);
    const key = newKey(call, call, {
      description: input.Description ?? "",
      tags: merged(new Map(), input.Tags ?? []),
    });
    const { Policy, BypassPolicyLockoutSafetyCheck: bypass = false } = input;
    await inTransaction(call.db, async (trx) => {
      const policy = Policy === undefined ? key.policy : await checkedKeyPolicy(call, trx, key, Policy, bypass);
      await insertKey(trx, { ...key, policy });
    });
    return { KeyMetadata: toMetadata(key) };
  },
};

function specOf({ KeySpec, CustomerMasterKeySpec }: sdk.CreateKeyCommand["input"]): string {
  return KeySpec ?? CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
}

/** What Slipway has no keys for is refused, not made as something else. */
function requireSymmetric(input: sdk.CreateKeyCommand["input"]): void {
  const spec = specOf(input);
  const usage = input.KeyUsage ?? "ENCRYPT_DECRYPT";
  const origin = input.Origin ?? "AWS_KMS";
  if (spec === "SYMMETRIC_DEFAULT" && usage === "ENCRYPT_DECRYPT" && origin === "AWS_KMS" && !input.MultiRegion) return;
  throw unsupported(
    `Slipway makes keys of KeySpec SYMMETRIC_DEFAULT, KeyUsage ENCRYPT_DECRYPT and Origin AWS_KMS for one region, not ${spec}, ${usage}, ${origin}${input.MultiRegion ? ", MultiRegion" : ""}`,
  );
}

export const DescribeKey: OperationOf<sdk.DescribeKeyCommand> = {
  authorize: onKey("DescribeKey", keyId),
  run: async (input, call) => ({ KeyMetadata: toMetadata(await requiredKey(call, keyId(input))) }),
};

export const ListKeys: OperationOf<sdk.ListKeysCommand> = {
  authorize: { action: "kms:ListKeys", resources: () => ["*"] },
  async run(input, call) {
    const { items, ...rest } = await page(
      input,
      LISTED,
      (slice) => listKeys(call.db, call, slice),
      ({ id }) => id,
    );
    return { Keys: items.map((key) => ({ KeyId: key.id, KeyArn: keyArn(key) })), ...rest };
  },
};

export const UpdateKeyDescription: OperationOf<sdk.UpdateKeyDescriptionCommand> = {
  authorize: onKey("UpdateKeyDescription", keyId),
  async run(input, call) {
    const key = await requiredKey(call, keyId(input));
    if (key.state === "PendingDeletion") throw unusable(keyArn(key), key.state);
    await updateKey(call.db, key, { description: input.Description! });
    return {};
  },
};

export const EnableKey: OperationOf<sdk.EnableKeyCommand> = {
  authorize: onKey("EnableKey", keyId),
  async run(input, call) {
    await changed(call, keyId(input), "enable");
    return {};
  },
};

export const DisableKey: OperationOf<sdk.DisableKeyCommand> = {
  authorize: onKey("DisableKey", keyId),
  async run(input, call) {
    await changed(call, keyId(input), "disable");
    return {};
  },
};

export const ScheduleKeyDeletion: OperationOf<sdk.ScheduleKeyDeletionCommand> = {
  authorize: onKey("ScheduleKeyDeletion", keyId, (input) => ({
    "kms:schedulekeydeletionpendingwindowindays": String(input.PendingWindowInDays ?? MAX_WINDOW_DAYS),
  })),
  async run(input, call) {
    const days = input.PendingWindowInDays ?? MAX_WINDOW_DAYS;
    if (days < MIN_WINDOW_DAYS || days > MAX_WINDOW_DAYS) {
      throw validationException(
        `PendingWindowInDays must be between ${MIN_WINDOW_DAYS} and ${MAX_WINDOW_DAYS}, not ${days}`,
      );
    }
    const deletionAt = new Date(call.now.getTime() + days * DAY_MS);
    const key = await changed(call, keyId(input), "scheduleDeletion", deletionAt);
    return { KeyId: keyArn(key), DeletionDate: deletionAt, KeyState: key.state, PendingWindowInDays: days };
  },
};

export const CancelKeyDeletion: OperationOf<sdk.CancelKeyDeletionCommand> = {
  authorize: onKey("CancelKeyDeletion", keyId),
  run: async (input, call) => ({ KeyId: keyArn(await changed(call, keyId(input), "cancelDeletion")) }),
};

/** Throws KMSInvalidState where the key's state does not allow it. */
async function changed(call: Call, id: string, event: KeyEvent, deletionAt?: Date): Promise<Key> {
  return inTransaction(call.db, async (trx) => {
    const key = await requiredKey({ ...call, db: trx }, id);
    const state = nextState(key.state, event);
    if (state === undefined) {
      const arn = keyArn(key);
      throw invalidState(`${arn} is ${event === "cancelDeletion" ? "not " : ""}pending deletion.`);
    }
    const next = { ...key, state, deletionAt };
    await updateKey(trx, key, { state, deletionAt });
    if (deletionAt) await call.system.work.schedule(trx, KEY_DELETION, key.id, deletionAt);
    return next;
  });
}

/** Between 90 and 2560 days; one year unless it is said. */
const ROTATION_DAYS = 365;

/** The period is kept and shown; the key's material stays the same (README). */
export const EnableKeyRotation: OperationOf<sdk.EnableKeyRotationCommand> = {
  authorize: onKey("EnableKeyRotation", keyId, (input) => ({
    "kms:rotationperiodindays": String(input.RotationPeriodInDays ?? ROTATION_DAYS),
  })),
  async run(input, call) {
    const key = await usableKey(call, keyId(input));
    const rotation = { periodInDays: input.RotationPeriodInDays ?? ROTATION_DAYS, since: call.now };
    await updateKey(call.db, key, { rotation });
    return {};
  },
};

export const DisableKeyRotation: OperationOf<sdk.DisableKeyRotationCommand> = {
  authorize: onKey("DisableKeyRotation", keyId),
  async run(input, call) {
    await updateKey(call.db, await usableKey(call, keyId(input)), { rotation: undefined });
    return {};
  },
};

export const GetKeyRotationStatus: OperationOf<sdk.GetKeyRotationStatusCommand> = {
  authorize: onKey("GetKeyRotationStatus", keyId),
  async run(input, call) {
    const key = await requiredKey(call, keyId(input));
    // "The rotation status of a key that is pending deletion is false."
    const rotation = key.state === "PendingDeletion" ? undefined : key.rotation;
    return {
      KeyId: key.id,
      KeyRotationEnabled: rotation !== undefined,
      ...(rotation && {
        RotationPeriodInDays: rotation.periodInDays,
        NextRotationDate: new Date(rotation.since.getTime() + rotation.periodInDays * DAY_MS),
      }),
    };
  },
};
