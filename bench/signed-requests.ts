/** Requests as they go over the wire, signed beforehand so that the clients' own work does not count. */
import { type SigningCredentials, sign } from "#gateway/auth/sigv4.ts";

export interface WireOperation {
  readonly service: string;
  /** X-Amz-Target; absent for Query services. */
  readonly target?: string;
  readonly body: string;
}

export type Key = Pick<SigningCredentials, "accessKeyId" | "secretAccessKey">;

/** Each has a signature of its own: one for every second of the last minute, all valid for the next four at least. */
const SECONDS = 60;

export function signedRequests(
  { service, target, body }: WireOperation,
  { accessKeyId, secretAccessKey }: Key,
  { port, region }: { readonly port: number; readonly region: string },
): readonly string[] {
  const bytes = Buffer.from(body);
  const now = Date.now();
  return Array.from({ length: SECONDS }, (_, secondsAgo) => {
    const headers = sign(
      {
        method: "POST",
        path: "/",
        rawQuery: "",
        headers: {
          host: `127.0.0.1:${port}`,
          "content-type": target === undefined ? "application/x-www-form-urlencoded" : "application/x-amz-json-1.1",
          ...(target !== undefined && { "x-amz-target": target }),
        },
        body: bytes,
      },
      { accessKeyId, secretAccessKey },
      { region, service },
      new Date(now - secondsAgo * 1000),
    );
    const lines = Object.entries({
      ...headers,
      // What clients send without signing it.
      "user-agent": "aws-sdk-js/3.1142.0 ua/2.1 os/linux lang/js md/nodejs#24 api/codebuild#3.1142.0 m/N,E,e",
      accept: "*/*",
      "content-length": String(bytes.length),
      connection: "keep-alive",
    });
    return `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
  });
}
