/**
 * `slipway rotate-key`: a new access key for the administrator, by IAM's own API; the old one is deleted. Slipway goes on.
 *
 * It can be killed between any two steps: what has been done is written down first (`rotation.json`, mode 0600), the old key
 * works until the new one has been tried and is stored, and the next call goes on where this one ended.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { withFileLock } from "#setup/file-lock.ts";
import { writePrivateFile } from "#setup/private-file.ts";
import { dataFolder, type RunningFile, runningFile, runningFilePath, UsageError } from "./options.ts";
import { requireRunning } from "./running.ts";

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Rotation {
  /** The key that is replaced. */
  readonly of: string;
  /** The keys that were there before; another one was made by a rotation that was killed. */
  readonly known: readonly string[];
  /** Present once the new key exists. */
  readonly next?: Key;
}

export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { data: { type: "string" } }, strict: true });
  const dataDir = dataFolder(values.data);
  requireRunning(values.data);
  const key = await withFileLock(join(dataDir, "rotation.lock"), () => rotateKey(dataDir, requireRunning(values.data)));
  process.stdout.write(`The administrator's access key is now ${key.accessKeyId}; "slipway env" prints it\n`);
  return 0;
}

/** `onStep` is told of each step that is done; tests end the process there. */
export async function rotateKey(
  dataDir: string,
  running: RunningFile,
  onStep: (step: string) => void = () => {},
): Promise<Key> {
  const file = join(dataDir, "rotation.json");
  let rotation = await resumable(file, running);
  if (!rotation) {
    const known = await keysOf(running, running);
    requireRoom(known, running.accessKeyId);
    rotation = { of: running.accessKeyId, known: known.map(({ AccessKeyId }) => AccessKeyId!) };
    writePrivateFile(file, rotation);
    onStep("begun");
  }
  let { next } = rotation;
  if (!next) {
    await deleteLeftovers(running, rotation);
    const { AccessKey } = await clientOf(running, running).send(new CreateAccessKeyCommand({}));
    onStep("created");
    next = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    writePrivateFile(file, { ...rotation, next });
    onStep("noted");
  }
  await keysOf(running, next); // Throws unless the new key works.
  storeKey(dataDir, running, next);
  onStep("stored");
  const client = clientOf(running, next);
  const old = { AccessKeyId: rotation.of };
  await unlessGone(client.send(new UpdateAccessKeyCommand({ ...old, Status: "Inactive" })));
  onStep("deactivated");
  await unlessGone(client.send(new DeleteAccessKeyCommand(old)));
  onStep("deleted");
  rmSync(file, { force: true });
  return next;
}

/** The rotation that was begun, if it is of the key that is used now and can be gone on with. */
async function resumable(file: string, running: RunningFile): Promise<Rotation | undefined> {
  if (!existsSync(file)) return undefined;
  const rotation = JSON.parse(readFileSync(file, "utf8")) as Rotation;
  if (!rotation.next) return rotation.of === running.accessKeyId ? rotation : undefined;
  if (![rotation.of, rotation.next.accessKeyId].includes(running.accessKeyId)) return undefined;
  const works = await keysOf(running, rotation.next).then(
    () => true,
    (error: Error) => {
      if (isRefused(error)) return false; // it was deleted meanwhile, by hand
      throw error;
    },
  );
  return works ? rotation : undefined;
}

async function deleteLeftovers(running: RunningFile, { known }: Rotation): Promise<void> {
  for (const { AccessKeyId } of await keysOf(running, running)) {
    if (known.includes(AccessKeyId!)) continue;
    await clientOf(running, running).send(new DeleteAccessKeyCommand({ AccessKeyId: AccessKeyId! }));
  }
}

/** IAM lets a user have two keys. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html */
function requireRoom(keys: readonly AccessKeyMetadata[], current: string): void {
  const other = keys.find(({ AccessKeyId }) => AccessKeyId !== current);
  if (!other) return;
  throw new UsageError(
    `The administrator has another access key, ${other.AccessKeyId} (${other.Status}), and IAM allows two; if nobody uses it, delete it with "slipway aws iam delete-access-key --access-key-id ${other.AccessKeyId}" and try again`,
  );
}

/** First where the next start looks, then where the other commands do. */
function storeKey(dataDir: string, running: RunningFile, key: Key): void {
  const file = join(dataDir, "administrator.json");
  const withSecret = existsSync(file) && "secretAccessKey" in JSON.parse(readFileSync(file, "utf8"));
  writePrivateFile(file, withSecret ? key : { accessKeyId: key.accessKeyId });
  writePrivateFile(runningFilePath(dataDir), { ...(runningFile(dataDir) ?? running), ...key });
}

function clientOf({ url, region }: RunningFile, credentials: Key): IAMClient {
  return new IAMClient({ endpoint: url, region, credentials, maxAttempts: 1 });
}

/** Of the user who has this key. */
async function keysOf(running: RunningFile, key: Key): Promise<readonly AccessKeyMetadata[]> {
  try {
    return (await clientOf(running, key).send(new ListAccessKeysCommand({}))).AccessKeyMetadata ?? [];
  } catch (error) {
    if (key !== running || !isRefused(error as Error)) throw error;
    throw new UsageError(
      `The access key ${key.accessKeyId} was deleted or made inactive; start Slipway anew, and it makes another one`,
    );
  }
}

function isRefused({ name }: Error): boolean {
  return name === "InvalidClientTokenId" || name === "SignatureDoesNotMatch";
}

async function unlessGone(sent: Promise<unknown>): Promise<void> {
  await sent.catch((error: Error) => {
    if (error.name !== "NoSuchEntityException") throw error;
  });
}
