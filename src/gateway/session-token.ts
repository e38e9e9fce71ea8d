/**
 * Session tokens carry everything about their session, sealed with the master key: no row is kept, so they survive a
 * restart and hold on every process that shares the key. STS seals them, IAM opens them to authenticate.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Cipher } from "./cipher.ts";
import type { Principal } from "./context.ts";

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Epoch milliseconds. */
  readonly expiration: number;
  /** Epoch milliseconds; absent in tokens of earlier versions. */
  readonly issuedAt?: number;
  readonly principal: Pick<
    Principal,
    | "type"
    | "arn"
    | "accountId"
    | "userId"
    | "roleArn"
    | "sessionName"
    | "sourceIdentity"
    | "tags"
    | "federation"
    | "sessionKeys"
    | "delegateAccountId"
  >;
  /** The session's own policies; absent where it was made with none. */
  readonly policies?: readonly SessionPolicy[];
  /** ARN and unique id of the user whose policies a federated user has at most. */
  readonly issuer?: { readonly arn: string; readonly userId: string };
  /** When the user proved an MFA device, epoch milliseconds; absent where none was. */
  readonly mfaAuthenticatedAt?: number;
  /** Names of the tags that go on to sessions which this one makes. */
  readonly transitiveTagKeys?: readonly string[];
}

/** Its JSON; of a managed policy with the ARN, which tokens of earlier versions lack. */
export type SessionPolicy = string | { readonly document: string; readonly arn: string };

const PURPOSE = "session";
/** Bounds what an opened token may inflate to; session policies are at most a few dozen KiB. */
const MAX_BYTES = 1024 * 1024;

/** The token has `minimumSize` characters at least: what follows the compressed session is skipped when it is opened. */
export function sealSession(cipher: Cipher, session: Session, minimumSize = 0): string {
  const packed = deflateRawSync(JSON.stringify(session));
  const token = cipher.seal(PURPOSE, packed);
  const missing = Math.ceil(((minimumSize - token.length) * 3) / 4); // three bytes are four characters
  return missing > 0 ? cipher.seal(PURPOSE, Buffer.concat([packed, Buffer.alloc(missing)])) : token;
}

/** undefined where the token was not sealed here, or was changed. The caller checks its key and expiration. */
export function openSession(cipher: Cipher, token: string): Session | undefined {
  const opened = cipher.open(PURPOSE, token);
  if (opened === undefined) return undefined;
  return JSON.parse(inflateRawSync(opened, { maxOutputLength: MAX_BYTES }).toString()) as Session;
}
