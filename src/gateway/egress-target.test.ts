import assert from "node:assert/strict";
import { test } from "node:test";
import { absoluteTarget, connectTarget, displayName } from "./egress-target.ts";

test("CONNECT's target is a host and a port", () => {
  assert.deepEqual(connectTarget("Example.COM:443"), { hostname: "example.com", port: 443 });
  assert.deepEqual(connectTarget("example.com.:443"), { hostname: "example.com", port: 443 });
  assert.deepEqual(connectTarget("[2001:DB8::1]:443"), { hostname: "2001:db8::1", port: 443 });
  const malformed = [
    "",
    "example.com",
    ":443",
    "a b:1",
    "a:0",
    "a:65536",
    "a:x",
    "a@b:1",
    "http://a:1",
    "::1:443",
    "a/b:1",
  ];
  for (const target of malformed) {
    assert.equal(connectTarget(target), undefined, target);
  }
});

test("an absolute-form target keeps its authority and gives the path an origin server gets", () => {
  assert.deepEqual(absoluteTarget("http://Example.com/a?b=c"), {
    hostname: "example.com",
    port: 80,
    authority: "Example.com",
    path: "/a?b=c",
  });
  assert.deepEqual(absoluteTarget("HTTP://[::1]:8080?q"), {
    hostname: "::1",
    port: 8080,
    authority: "[::1]:8080",
    path: "/?q",
  });
  assert.equal(absoluteTarget("http://a")?.path, "/");
  for (const target of [
    "/path",
    "*",
    "https://a/",
    "ftp://a/",
    "http:///a",
    "http://user:secret@a/",
    "http://a:99999/",
  ]) {
    assert.equal(absoluteTarget(target), undefined, target);
  }
});

test("IPv6 is shown in brackets", () => {
  assert.equal(displayName({ hostname: "::1", port: 1 }), "[::1]:1");
  assert.equal(displayName({ hostname: "a", port: 1 }), "a:1");
});
