import { equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { NODE_FLAGS } from "./node-flags.ts";

test("bin/slipway starts Node with the same flags as everything else", () => {
  const script = readFileSync(new URL("../../bin/slipway", import.meta.url), "utf8");
  const exec = /^exec "[^"]+\/node" (.*) "\$root\/src\/cli\/main\.ts" "\$@"$/m.exec(script);
  const root = new URL("../..", import.meta.url).pathname.slice(0, -1);
  equal(exec?.[1]?.replaceAll('"', "").replaceAll("$root", root), NODE_FLAGS.join(" "));
});
