/**
 * Checking the codes of MFA devices. A device's code counts once, and none counts that is older than one that was taken.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_sync.html
 */
import type { Cipher } from "#gateway/cipher.ts";
import type { MfaVerdict, Principal } from "#gateway/context.ts";
import { type Database, inTransaction } from "#store/database.ts";
import { invalidAuthenticationCode } from "./errors.ts";
import { findMfaDevice, type MfaDevice, updateMfaDevice } from "./store/mfa-devices.ts";
import { findStep, stepAt } from "./totp.ts";

/** The purpose under which seeds are sealed. */
export const SEED_PURPOSE = "mfa-device";

/** Steps that a device in use may be off from what it was last: RFC 6238 recommends one for the network's delay. */
const DRIFT = 1;
/** Two codes in a row say how a device's clock goes, ten minutes off at most; AWS does not tell its own limit. */
const PAIR_DRIFT = 20;

/**
 * The device as it is after its two codes in a row were taken, with the difference of its clock remembered. Throws
 * InvalidAuthenticationCode.
 */
export function synchronized(
  cipher: Cipher,
  device: MfaDevice,
  codes: readonly [string, string],
  now: Date,
): MfaDevice {
  const current = stepAt(now);
  const from = Math.max(current - PAIR_DRIFT, (device.lastStep ?? 0) + 1);
  const first = findStep(seedOf(cipher, device), codes, from, current + PAIR_DRIFT);
  if (first === undefined) throw invalidAuthenticationCode();
  return { ...device, lastStep: first + 1, drift: first + 1 - current };
}

/** "We RECOMMEND setting a throttling parameter T" against guessing (RFC 4226, 7.3): ten codes in five minutes are few of a million. */
const MAX_WRONG = 10;
const WRONG_FOR_MS = 5 * 60_000;

/** Those that still count, none of them older than the throttle's time. */
function recentlyWrong({ wrongCodesAt }: MfaDevice, now: Date): readonly Date[] {
  return wrongCodesAt.filter((at) => at.getTime() > now.getTime() - WRONG_FOR_MS);
}

/**
 * Takes one code of a device that is enabled for the user who calls. Wrong ones are counted beside the device, for every process
 * and beyond its end. A partner who acts in the user's name does not hold the device, and must not use up its tries.
 */
export function verifyCode(
  db: Database,
  cipher: Cipher,
  principal: Principal,
  serialNumber: string,
  code: string,
  now: Date,
): Promise<MfaVerdict> {
  return inTransaction(db, async (trx) => {
    if (principal.delegateAccountId !== undefined) return "unknown-device";
    const device = await findMfaDevice(trx, principal.accountId, serialNumber);
    if (principal.type !== "User" || device?.enabled?.userId !== principal.userId) return "unknown-device";
    const wrong = recentlyWrong(device, now);
    if (wrong.length >= MAX_WRONG) return "wrong-code"; // it is not even looked at
    const expected = stepAt(now) + device.drift;
    const from = Math.max(expected - DRIFT, (device.lastStep ?? 0) + 1);
    const step = findStep(seedOf(cipher, device), [code], from, expected + DRIFT);
    if (step === undefined) {
      await updateMfaDevice(trx, { ...device, wrongCodesAt: [...wrong, now] });
      return "wrong-code";
    }
    await updateMfaDevice(trx, { ...device, lastStep: step, drift: step - stepAt(now), wrongCodesAt: [] });
    return "verified";
  });
}

function seedOf(cipher: Cipher, { serialNumber, sealedSeed }: MfaDevice): Buffer {
  const seed = cipher.open(SEED_PURPOSE, sealedSeed);
  if (!seed) throw new Error(`The seed of ${serialNumber} was sealed with another master key`);
  return seed;
}
