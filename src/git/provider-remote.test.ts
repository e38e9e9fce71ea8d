import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { providerIsConfigured, providerRemote } from "./provider-remote.ts";

describe("provider remote", () => {
  it("is configured by an endpoint or a token", () => {
    assert.equal(providerIsConfigured("GitHub", {}, {}), false);
    assert.equal(providerIsConfigured("GitHub", { github: "/srv/git" }, {}), true);
    assert.equal(providerIsConfigured("GitHub", {}, { SLIPWAY_GITHUB_TOKEN: "t" }), true);
    assert.equal(providerIsConfigured("GitLab", {}, { SLIPWAY_GITHUB_TOKEN: "t" }), false);
  });

  it("sends the token to https remotes only", () => {
    const environment = { SLIPWAY_GITHUB_TOKEN: "t" };
    assert.deepEqual(providerRemote("GitHub", "a/b", {}, environment), {
      url: "https://github.com/a/b.git",
      token: "t",
    });
    assert.deepEqual(providerRemote("GitHub", "a/b", { github: "http://git.local" }, environment), {
      url: "http://git.local/a/b.git",
    });
  });
});
