/**
 * The canonical form of a request that both sides of SigV4 hash.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request
 *
 * Everything here is on the path of every request: what clients almost always send (the path `/`, no query, header values
 * without odd white space) is recognised before anything is split or encoded.
 */
import { SignatureError } from "./signature-error.ts";

const LEFT_BY_ENCODE_URI_COMPONENT = /[!'()*]/;
const NOT_NEEDING_ENCODING = /^[A-Za-z0-9\-._~/]*$/;
const ODD_WHITE_SPACE = /[^\S ]| {2}/;

/** Percent-encodes all but RFC 3986's unreserved characters, with upper-case hexadecimal digits. */
export function uriEncoded(text: string): string {
  const encoded = encodeURIComponent(text);
  if (!LEFT_BY_ENCODE_URI_COMPONENT.test(encoded)) return encoded;
  return encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Throws SignatureError where the text is not percent-encoded UTF-8. */
export function uriDecoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // The only failure of decodeURIComponent is URIError, and it says no more than this.
    throw new SignatureError("malformed-query", `The request URI has an invalid percent-encoding: '${text}'`);
  }
}

/**
 * For S3 the path as it is, in S3's own encoding: a key may hold empty and dot segments. For all other services the path
 * without empty and dot segments, encoded once more than on the wire.
 */
export function canonicalPath(path: string, service: string): string {
  if (path === "/" || path === "") return "/";
  if (service === "s3") {
    if (NOT_NEEDING_ENCODING.test(path)) return path;
    return path
      .split("/")
      .map((segment) => uriEncoded(uriDecoded(segment)))
      .join("/");
  }
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(uriEncoded(segment));
  }
  if (segments.length === 0) return "/";
  return `/${segments.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/**
 * Parameters sorted by encoded name, then encoded value; one without `=` has the empty value. `X-Amz-Signature` is left
 * out, for it cannot sign itself.
 */
export function canonicalQuery(rawQuery: string): string {
  if (rawQuery === "") return "";
  const parameters: [name: string, value: string][] = [];
  for (const piece of rawQuery.split("&")) {
    if (piece === "" || piece.startsWith("X-Amz-Signature=")) continue;
    const equals = piece.indexOf("=");
    const name = equals < 0 ? piece : piece.slice(0, equals);
    const value = equals < 0 ? "" : piece.slice(equals + 1);
    parameters.push([canonicalQueryPart(name), canonicalQueryPart(value)]);
  }
  // Not as whole `name=value` strings: "=" sorts after "-", which would put `a-b=` before `a=`.
  parameters.sort(([nameA, valueA], [nameB, valueB]) => ordinal(nameA, nameB) || ordinal(valueA, valueB));
  return parameters.map(([name, value]) => `${name}=${value}`).join("&");
}

function canonicalQueryPart(text: string): string {
  return uriEncoded(uriDecoded(text.replaceAll("+", " ")));
}

function ordinal(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Without white space at its ends, and with every run of white space inside as one space. */
export function canonicalHeaderValue(value: string | undefined): string {
  // A signed header's name comes from the client: on a plain object `constructor` would find a function.
  if (typeof value !== "string") return "";
  const trimmed = value.trim();
  return ODD_WHITE_SPACE.test(trimmed) ? trimmed.replace(/\s+/g, " ") : trimmed;
}

/** A header that occurs more than once must have its values joined with "," in `headers`. */
export function canonicalRequest(
  request: { method: string; path: string; rawQuery: string; headers: Record<string, string | undefined> },
  service: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  let headers = "";
  for (const name of signedHeaders) headers += `${name}:${canonicalHeaderValue(request.headers[name])}\n`;
  const path = canonicalPath(request.path, service);
  const query = canonicalQuery(request.rawQuery);
  return `${request.method}\n${path}\n${query}\n${headers}\n${signedHeaders.join(";")}\n${payloadHash}`;
}
