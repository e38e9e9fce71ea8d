/**
 * Talking to the issuers of OpenID Connect tokens. As on AWS, an issuer's certificate is checked against the authorities that
 * are trusted anyway (here the system's and Slipway's own); where none of them has signed it, one certificate of its chain
 * must have a thumbprint that the provider lists.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { LookupFunction } from "node:net";
import { connect, type DetailedPeerCertificate, type SecureContextOptions } from "node:tls";
import { isOrdinary, pinnedLookup, systemAddresses } from "../egress-guard.ts";

export interface IssuerTrust {
  /** The trusted authorities, PEM. */
  readonly caBundle: string;
  /** SHA-1 in hexadecimal, in lower case. */
  readonly thumbprints: readonly string[];
}

export interface ConnectOptions {
  readonly timeoutMs: number;
  /** Which addresses may be connected to; every ordinary one unless given. */
  readonly isAllowed?: (address: string) => boolean;
  /** The system's resolver unless given. */
  readonly resolve?: typeof systemAddresses;
}

export interface FetchOptions extends ConnectOptions {
  readonly maxBytes: number;
}

/** What one exchange with an issuer is held to. */
interface Bounds {
  /** Answers with the addresses that were checked, and no others. */
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
}

/** The issuer did not answer in time, or could not be reached: trying again may help. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** It has a certificate that neither an authority nor a thumbprint vouches for. */
export class ThumbprintError extends Error {
  override readonly name = "ThumbprintError";
}

/** It is where nothing is fetched from. The message is for the log: it tells what a name stands for. */
export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
}

/** What OpenSSL says where the chain leads to no authority that is known; anything else (a name, a date) is wrong in itself. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
const UNREACHABLE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "ABORT_ERR",
]);

/**
 * The JSON document at an https URL. Redirects are not followed. Throws UnreachableError, ForbiddenAddressError,
 * ThumbprintError, or Error for an answer that is none.
 */
export async function fetchJson(url: URL, trust: IssuerTrust, options: FetchOptions): Promise<unknown> {
  if (url.protocol !== "https:") throw new Error(`${url} is not https`);
  const bounds = await boundsOf(url, options);
  try {
    return await getJson(url, { ca: trust.caBundle }, bounds, options.maxBytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (bounds.signal.aborted || UNREACHABLE.has(code ?? "")) throw unreachable(url, error);
    if (!UNKNOWN_AUTHORITY.has(code ?? "")) throw error;
  }
  const chain = await presentedChain(url, bounds);
  const pinned = chain.filter(({ thumbprint }) => trust.thumbprints.includes(thumbprint)).map(({ pem }) => pem);
  if (pinned.length === 0) throw new ThumbprintError(`No certificate of ${url.host} has a thumbprint that is listed`);
  // The chain is verified as it would be with an authority: that the issuer merely sent a certificate proves nothing.
  return getJson(url, { ca: pinned, allowPartialTrustChain: true }, bounds, options.maxBytes);
}

/**
 * The thumbprint that IAM takes where none is given: of the last certificate in the chain. Nothing but the handshake is sent.
 * Throws UnreachableError or ForbiddenAddressError.
 */
export async function topThumbprint(url: URL, options: ConnectOptions): Promise<string> {
  const chain = await presentedChain(url, await boundsOf(url, options));
  return chain.at(-1)!.thumbprint;
}

/**
 * Whoever registers an issuer makes Slipway connect to it, and whoever sends a token makes it ask there: so a host is resolved
 * once, all of its addresses are checked, and what was checked is what is connected to. An issuer may be on this machine or
 * in a private network, as it is for those who run one beside Slipway, but not at a link-local address, where clouds have
 * their metadata services and containers their credentials.
 */
async function boundsOf(
  url: URL,
  { timeoutMs, isAllowed = isOrdinary, resolve = systemAddresses }: ConnectOptions,
): Promise<Bounds> {
  const signal = AbortSignal.timeout(timeoutMs);
  const addresses = await inTime(resolve(hostOf(url)), signal).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  const refused = addresses.find(({ address }) => !isAllowed(address));
  if (refused) throw new ForbiddenAddressError(`${url.host} leads to ${refused.address}, which no issuer can be at`);
  return { lookup: pinnedLookup(addresses), signal };
}

/** Rejects when the time is up; what has no end then is nobody's concern any more. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    work.then(resolve, reject);
  });
}

/** Without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function unreachable(url: URL, error: unknown): UnreachableError {
  return new UnreachableError(`${url.host} could not be reached`, { cause: error });
}

async function getJson(
  url: URL,
  secure: SecureContextOptions,
  { lookup, signal }: Bounds,
  maxBytes: number,
): Promise<unknown> {
  const outgoing = request(url, {
    agent: false,
    headers: { accept: "application/json" },
    ...secure,
    ...(serverName(url) && { servername: serverName(url) }),
    signal,
    lookup,
  });
  outgoing.end();
  const [response] = (await once(outgoing, "response", { signal })) as [IncomingMessage];
  try {
    if (response.statusCode! >= 500) throw unreachable(url, new Error(`status ${response.statusCode}`));
    if (response.statusCode !== 200) throw new Error(`${url} was answered with ${response.statusCode}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`${url} is answered with more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } finally {
    response.destroy();
  }
}

interface ChainCertificate {
  readonly thumbprint: string;
  readonly pem: string;
}

/** What the server shows, its own certificate first, without any check of it. Throws UnreachableError. */
async function presentedChain(url: URL, { lookup, signal }: Bounds): Promise<readonly ChainCertificate[]> {
  const servername = serverName(url);
  const socket = connect({
    host: hostOf(url),
    port: Number(url.port || 443),
    ...(servername && { servername }),
    rejectUnauthorized: false,
    lookup,
  });
  try {
    await once(socket, "secureConnect", { signal });
    const chain: ChainCertificate[] = [];
    let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
    while (certificate?.raw) {
      const thumbprint = createHash("sha1").update(certificate.raw).digest("hex");
      if (chain.some((earlier) => earlier.thumbprint === thumbprint)) break; // a root is its own issuer
      chain.push({ thumbprint, pem: toPem(certificate.raw) });
      certificate = certificate.issuerCertificate;
    }
    if (chain.length === 0) throw new Error("The server showed no certificate");
    return chain;
  } catch (error) {
    throw unreachable(url, error);
  } finally {
    socket.destroy();
  }
}

/** SNI has no place for IP addresses. */
function serverName(url: URL): string {
  return /^[\d.]+$|^\[/.test(url.hostname) ? "" : url.hostname;
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
