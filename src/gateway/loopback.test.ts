import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { isFromLoopback } from "./loopback.ts";

const CASES: readonly [remoteAddress: string | undefined, expected: boolean][] = [
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["169.254.170.3", false],
  ["::ffff:169.254.170.3", false],
  ["12.127.0.1", false],
  ["fe80::1", false],
  ["", false],
  [undefined, false],
];

for (const [remoteAddress, expected] of CASES) {
  test(`${remoteAddress ?? "a closed connection"} is ${expected ? "" : "not "}loopback`, () => {
    assert.equal(isFromLoopback({ socket: { remoteAddress } as Socket }), expected);
  });
}
