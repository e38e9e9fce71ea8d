/** Virtual MFA devices. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html */
import { randomBytes } from "node:crypto";
import type * as sdk from "@aws-sdk/client-iam";
import type { Call } from "#gateway/context.ts";
import { WireError } from "#gateway/errors.ts";
import type { Authorization, ContextKeys, OperationOf } from "#gateway/operation.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { alreadyExists, deleteConflict, noSuchEntity, overQuota } from "../errors.ts";
import { SEED_PURPOSE, synchronized } from "../mfa.ts";
import { type Entity, iamArn, type Tags, toTagList, toUser } from "../model.ts";
import { qrPng } from "../qr-png.ts";
import { findEntitiesById } from "../store/entities.ts";
import {
  deleteMfaDevice,
  findMfaDevice,
  insertMfaDevice,
  listMfaDevices,
  type MfaDevice,
  mfaDevicesOfUser,
  updateMfaDevice,
} from "../store/mfa-devices.ts";
import { requestTags, resourceTags } from "../tag-rules.ts";
import { base32 } from "../totp.ts";
import { about, atPath, existing, madeWithTags, page, pageOf, refOf, tagPage, userNameOf } from "./support.ts";

/** As long as AWS's: 64 characters in Base32. */
const SEED_BYTES = 40;
/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MAX_DEVICES_OF_USER = 8;

interface NamesDevice {
  readonly SerialNumber: string | undefined;
}

function aboutDevice<I extends NamesDevice>(
  action: string,
  context?: (input: NoInfer<I>) => ContextKeys,
): Authorization<I> {
  return {
    action: `iam:${action}`,
    resources({ SerialNumber: serial = "" }, call) {
      return [serial.startsWith("arn:") ? serial : iamArn(call.accountId, "mfa", "/", serial)];
    },
    ...(context && { context }),
  };
}

async function required(db: Database, call: Call, serialNumber: string): Promise<MfaDevice> {
  const device = await findMfaDevice(db, call.accountId, serialNumber);
  if (!device) throw noSuchEntity(`VirtualMFADevice with serial number ${serialNumber} does not exist.`);
  return device;
}

async function requiredOfUser(db: Database, call: Call, user: Entity, serialNumber: string): Promise<MfaDevice> {
  const device = await findMfaDevice(db, call.accountId, serialNumber);
  if (device?.enabled?.userId !== user.id) throw noSuchEntity("MFA Device invalid for user.");
  return device;
}

/** The only answer that ever has the seed. */
export const CreateVirtualMFADevice: OperationOf<sdk.CreateVirtualMFADeviceCommand> = {
  authorize: madeWithTags(
    "TagMFADevice",
    atPath("mfa", "CreateVirtualMFADevice", (input) => ({ path: input.Path, name: input.VirtualMFADeviceName! })),
  ),
  async run(input, call) {
    const name = input.VirtualMFADeviceName!;
    const path = input.Path ?? "/";
    const seed = randomBytes(SEED_BYTES);
    const device: MfaDevice = {
      serialNumber: iamArn(call.accountId, "mfa", path, name),
      accountId: call.accountId,
      name,
      path,
      sealedSeed: call.system.cipher.seal(SEED_PURPOSE, seed),
      createdAt: call.now,
      tags: resourceTags.checked(input.Tags),
      enabled: undefined,
      drift: 0,
      lastStep: undefined,
      wrongCodesAt: [],
    };
    await inTransaction(call.db, async (trx) => {
      if (await findMfaDevice(trx, call.accountId, device.serialNumber)) {
        throw alreadyExists("MFADevice entity at the same path and name already exists.");
      }
      await insertMfaDevice(trx, device);
    });
    const secret = base32(seed);
    return {
      VirtualMFADevice: {
        SerialNumber: device.serialNumber,
        Base32StringSeed: Buffer.from(secret),
        QRCodePNG: qrPng(`otpauth://totp/${encodeURIComponent(name)}@${call.accountId}?secret=${secret}`),
        ...(device.tags.size > 0 && { Tags: toTagList(device.tags) }),
      },
    };
  },
};

export const DeleteVirtualMFADevice: OperationOf<sdk.DeleteVirtualMFADeviceCommand> = {
  authorize: aboutDevice("DeleteVirtualMFADevice"),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const device = await required(trx, call, input.SerialNumber!);
      if (device.enabled) throw deleteConflict("MFA VirtualDevice in use. Must deactivate first.");
      await deleteMfaDevice(trx, device);
    });
    return {};
  },
};

export const EnableMFADevice: OperationOf<sdk.EnableMFADeviceCommand> = {
  authorize: about("user", "EnableMFADevice", (input) => input.UserName!),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      const device = await required(trx, call, input.SerialNumber!);
      if (device.enabled) throw alreadyExists("MFA Device is already in use.");
      await requireOwnMfa(trx, call, user);
      if ((await mfaDevicesOfUser(trx, call.accountId, user.id)).length >= MAX_DEVICES_OF_USER) {
        throw overQuota("MFADevicesPerUser", MAX_DEVICES_OF_USER);
      }
      const known = synchronized(call.system.cipher, device, codesOf(input), call.now);
      await updateMfaDevice(trx, { ...known, enabled: { userId: user.id, at: call.now } });
    });
    return {};
  },
};

export const ResyncMFADevice: OperationOf<sdk.ResyncMFADeviceCommand> = {
  authorize: about("user", "ResyncMFADevice", (input) => input.UserName!),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", input.UserName!));
      const device = await requiredOfUser(trx, call, user, input.SerialNumber!);
      await updateMfaDevice(trx, synchronized(call.system.cipher, device, codesOf(input), call.now));
    });
    return {};
  },
};

/** The device stays, nobody's: another user may enable it. */
export const DeactivateMFADevice: OperationOf<sdk.DeactivateMFADeviceCommand> = {
  authorize: about("user", "DeactivateMFADevice", userNameOf),
  async run(input, call) {
    await inTransaction(call.db, async (trx) => {
      const user = await existing(trx, refOf(call, "user", userNameOf(input, call)));
      const device = await requiredOfUser(trx, call, user, input.SerialNumber!);
      await requireOwnMfa(trx, call, user);
      await updateMfaDevice(trx, { ...device, enabled: undefined });
    });
    return {};
  },
};

export const GetMFADevice: OperationOf<sdk.GetMFADeviceCommand> = {
  authorize: about("user", "GetMFADevice", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    const device = await requiredOfUser(call.db, call, user, input.SerialNumber!);
    return { UserName: user.name, SerialNumber: device.serialNumber, EnableDate: device.enabled?.at };
  },
};

export const ListMFADevices: OperationOf<sdk.ListMFADevicesCommand> = {
  authorize: about("user", "ListMFADevices", userNameOf),
  async run(input, call) {
    const user = await existing(call.db, refOf(call, "user", userNameOf(input, call)));
    const devices = await mfaDevicesOfUser(call.db, call.accountId, user.id);
    const { items, ...rest } = await pageOf(input, devices, ({ serialNumber }) => serialNumber);
    const MFADevices = items.map(({ serialNumber, enabled }) => ({
      UserName: user.name,
      SerialNumber: serialNumber,
      EnableDate: enabled?.at,
    }));
    return { MFADevices, ...rest };
  },
};

/** Without tags and seeds. */
export const ListVirtualMFADevices: OperationOf<sdk.ListVirtualMFADevicesCommand> = {
  authorize: { action: "iam:ListVirtualMFADevices", resources: () => ["*"] },
  async run(input, call) {
    const { db, accountId } = call;
    const { items, ...rest } = await page(
      input,
      (slice) => listMfaDevices(db, accountId, input.AssignmentStatus ?? "Any", slice),
      ({ serialNumber }) => serialNumber,
    );
    const ids = items.flatMap(({ enabled }) => enabled?.userId ?? []);
    const users = new Map((await findEntitiesById(db, accountId, ids)).map((user) => [user.id, user]));
    const VirtualMFADevices = items.map(({ serialNumber, enabled }) => {
      const user = enabled && users.get(enabled.userId);
      return {
        SerialNumber: serialNumber,
        ...(user && { User: toUser(user, "listed") }),
        ...(enabled && { EnableDate: enabled.at }),
      };
    });
    return { VirtualMFADevices, ...rest };
  },
};

export const TagMFADevice: OperationOf<sdk.TagMFADeviceCommand> = {
  authorize: aboutDevice("TagMFADevice", (input) => requestTags(input.Tags)),
  run: (input, call) => changeTags(call, input, (tags) => resourceTags.added(tags, input.Tags)),
};

export const UntagMFADevice: OperationOf<sdk.UntagMFADeviceCommand> = {
  authorize: aboutDevice("UntagMFADevice", (input) => ({ "aws:tagkeys": input.TagKeys })),
  run: (input, call) => changeTags(call, input, (tags) => resourceTags.without(tags, input.TagKeys!)),
};

export const ListMFADeviceTags: OperationOf<sdk.ListMFADeviceTagsCommand> = {
  authorize: aboutDevice("ListMFADeviceTags"),
  run: async (input, call) => tagPage(input, (await required(call.db, call, input.SerialNumber!)).tags),
};

/** Who has stolen a user's key can neither take the user's devices away nor add one, whatever the policies allow. */
async function requireOwnMfa(trx: Database, call: Call, user: Entity): Promise<void> {
  const { principal } = call;
  if (principal.userId !== user.id || principal.mfaAuthenticatedAt) return;
  if ((await mfaDevicesOfUser(trx, call.accountId, user.id)).length === 0) return;
  const message =
    "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.";
  throw new WireError("AccessDenied", 403, message);
}

function changeTags(call: Call, { SerialNumber }: NamesDevice, change: (tags: Tags) => Tags): Promise<object> {
  return inTransaction(call.db, async (trx) => {
    const device = await required(trx, call, SerialNumber!);
    await updateMfaDevice(trx, { ...device, tags: change(device.tags) });
    return {};
  });
}

function codesOf(input: {
  readonly AuthenticationCode1: string | undefined;
  readonly AuthenticationCode2: string | undefined;
}): [string, string] {
  return [input.AuthenticationCode1!, input.AuthenticationCode2!];
}
