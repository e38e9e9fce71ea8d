/** Answers on a socket that no node:http response exists for. */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

/** A client that does not close after the answer is cut off. */
const LINGER_MS = 5_000;

/** Writes a response with a sentence for its body and closes the connection. `headers` are added to those a body needs. */
export function endWithSentence(
  socket: Socket,
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${sentence}\n`;
  const lines = Object.entries({
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  socket.resume(); // bytes left unread at the close would become a reset that overtakes the answer
}
