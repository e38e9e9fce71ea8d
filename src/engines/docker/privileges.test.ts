import assert from "node:assert/strict";
import { test } from "node:test";
import { assembledPrivileges, boundingCapabilities } from "./privileges.ts";

test("the bounding set is read bit by bit", () => {
  assert.deepEqual(boundingCapabilities("CapEff:\t0\nCapBnd:\t0000000000000000\n"), []);
  assert.deepEqual(boundingCapabilities("CapBnd:\t0000000000200001\n"), ["CHOWN", "SYS_ADMIN"]);
  const all = boundingCapabilities("CapBnd:\t000001ffffffffff\n");
  assert.equal(all.length, 38);
  assert.equal(all.at(-1), "AUDIT_READ");
  const withoutResource = boundingCapabilities("CapBnd:\t000001fffeffffff\n");
  assert.deepEqual(
    all.filter((name) => !withoutResource.includes(name)),
    ["SYS_RESOURCE"],
  );
  assert.throws(() => boundingCapabilities("Name:\tnode\n"), /no CapBnd/);
});

test("only version 1's cgroups are bound into the container", () => {
  assert.deepEqual(assembledPrivileges(["CHOWN"], true).Binds, ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]);
  assert.equal(assembledPrivileges(["CHOWN"], false).Binds, undefined);
});
