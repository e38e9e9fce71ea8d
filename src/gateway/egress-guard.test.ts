import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { isOrdinary, isReachable, systemAddresses } from "./egress-guard.ts";

test("addresses of this machine and its link are not reachable", () => {
  for (const address of [
    "0.0.0.0",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.170.2",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
  ]) {
    assert.equal(isReachable(address), false, address);
  }
});

test("loopback and private networks are ordinary, link-local addresses are not", () => {
  for (const address of ["127.0.0.1", "::1", "10.1.2.3", "fd12::1", "1.1.1.1"]) assert.ok(isOrdinary(address), address);
  for (const address of ["169.254.169.254", "::ffff:169.254.1.1", "fe80::1", "0.0.0.0", "::"]) {
    assert.ok(!isOrdinary(address), address);
  }
});

test("this machine's own addresses are not reachable under any of their notations", () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  assert.ok(own.length > 0);
  for (const { address, family } of own) {
    assert.equal(isReachable(address), false, address);
    if (family === "IPv4") {
      assert.equal(isReachable(`::ffff:${address}`), false, address);
    }
  }
});

test("other addresses are, private networks included", () => {
  for (const address of [
    "1.1.1.1",
    "10.255.255.253",
    "192.168.77.77",
    "172.31.255.253",
    "2606:4700::1111",
    "fd12::1",
  ]) {
    assert.equal(isReachable(address), true, address);
  }
});

test("odd notations of loopback resolve to what the guard refuses", async () => {
  for (const hostname of ["localhost", "127.1", "2130706433", "0x7f.1"]) {
    const addresses = await systemAddresses(hostname);
    assert.ok(addresses.length > 0);
    assert.ok(
      addresses.every(({ address }) => !isReachable(address)),
      hostname,
    );
  }
});
