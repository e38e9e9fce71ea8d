import assert from "node:assert/strict";
import { test } from "node:test";
import type * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { toConditions } from "../conditions.ts";
import { type RoutedRequest, toMatcher } from "./rule-matcher.ts";
import { matchesWildcard } from "./wildcard.ts";

const REQUEST: RoutedRequest = {
  method: "GET",
  host: "shop.example.com",
  path: "/img/Cat.png",
  query: "version=V1&mode=dark%20blue",
  headers: { "user-agent": "Mozilla/5.0 Chrome", "x-team": "red" },
  sourceIp: "192.168.7.9",
};
const matches = (...conditions: sdk.RuleCondition[]) => toMatcher(toConditions(conditions))(REQUEST);

test("wildcards", () => {
  assert.ok(matchesWildcard("*a*b*", "xxaxxbxx"));
  assert.ok(matchesWildcard("a?c", "abc"));
  assert.ok(matchesWildcard("*", ""));
  assert.ok(!matchesWildcard("a?c", "ac"));
  assert.ok(!matchesWildcard("*ab", "aba"));
});

test("a pattern of stars does not take exponential time", () => {
  assert.ok(!matchesWildcard(`${"*a".repeat(60)}b`, "a".repeat(10_000)));
});

const CASES: readonly [matches: boolean, condition: sdk.RuleCondition][] = [
  [true, { Field: "path-pattern", Values: ["/img/*"] }],
  [false, { Field: "path-pattern", Values: ["/IMG/*"] }],
  [false, { Field: "path-pattern", Values: ["/img"] }],
  [true, { Field: "path-pattern", PathPatternConfig: { Values: ["/js/*", "/img/???.png"] } }],
  [true, { Field: "path-pattern", RegexValues: ["^/img/.*\\.png$"] }],
  [true, { Field: "host-header", Values: ["*.EXAMPLE.com"] }],
  [false, { Field: "host-header", Values: ["example.com"] }],
  [true, { Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "User-Agent", Values: ["*chrome*"] } }],
  [false, { Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "Accept", Values: ["*"] } }],
  [true, { Field: "http-request-method", HttpRequestMethodConfig: { Values: ["PUT", "GET"] } }],
  [false, { Field: "http-request-method", HttpRequestMethodConfig: { Values: ["POST"] } }],
  [true, { Field: "query-string", QueryStringConfig: { Values: [{ Key: "VERSION", Value: "v?" }] } }],
  [true, { Field: "query-string", QueryStringConfig: { Values: [{ Value: "dark blue" }] } }],
  [false, { Field: "query-string", QueryStringConfig: { Values: [{ Key: "mode", Value: "light" }] } }],
  [true, { Field: "source-ip", SourceIpConfig: { Values: ["10.0.0.0/8", "192.168.0.0/16"] } }],
  [false, { Field: "source-ip", SourceIpConfig: { Values: ["192.168.8.0/24", "2001:db8::/32"] } }],
];

for (const [expected, condition] of CASES) {
  test(`${JSON.stringify(condition)} ${expected ? "holds" : "does not hold"}`, () => {
    assert.equal(matches(condition), expected);
  });
}

test("all conditions of a rule must hold", () => {
  const path: sdk.RuleCondition = { Field: "path-pattern", Values: ["/img/*"] };
  assert.ok(matches(path, { Field: "host-header", Values: ["shop.*"] }));
  assert.ok(!matches(path, { Field: "host-header", Values: ["blog.*"] }));
});
