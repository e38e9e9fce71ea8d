import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerSpec, GroupSpec } from "#engines/engine.ts";
import { containerOptions, namespaceOwnerOptions } from "./container-options.ts";
import { assertValidGroup } from "./names.ts";

const host = { instance: "i", cpus: 2, privileges: { Privileged: true } };
const plain: ContainerSpec = { name: "main", image: "sha256:1", environment: {} };

function aGroup(...containers: readonly ContainerSpec[]): GroupSpec {
  return { id: "g", labels: { service: "ecs" }, containers, hosts: { db: "10.0.0.1" }, volumes: ["data"] };
}

test("a group of one is on the network itself, a larger one in its owner's namespace", () => {
  const alone = containerOptions(aGroup(plain), plain, host).HostConfig;
  assert.deepEqual([alone?.NetworkMode, alone?.ExtraHosts], ["slipway", ["db:10.0.0.1"]]);

  const two = aGroup(plain, { ...plain, name: "side" });
  const member = containerOptions(two, plain, host).HostConfig;
  assert.deepEqual([member?.NetworkMode, member?.ExtraHosts], ["container:slipway.i.g", undefined]);
  const owner = namespaceOwnerOptions(two, "i");
  assert.equal(owner.name, "slipway.i.g");
  assert.deepEqual(owner.HostConfig?.ExtraHosts, ["db:10.0.0.1"]);
});

test("labels say whose the container is and where it stands", () => {
  const side = { ...plain, name: "side" };
  assert.deepEqual(containerOptions(aGroup(plain, side), side, host).Labels, {
    "slipway.instance": "i",
    "slipway.group": "g",
    "slipway.label.service": "ecs",
    "slipway.container": "side",
    "slipway.position": "1",
  });
});

test("privileges and the inner daemon's volume go to privileged containers only", () => {
  const inner = { ...plain, privileged: true };
  const options = containerOptions(aGroup(inner), inner, host);
  assert.equal(options.HostConfig?.Privileged, true);
  assert.deepEqual(options.Volumes, { "/var/lib/docker": {} });
  const without = containerOptions(aGroup(plain), plain, host);
  assert.equal(without.HostConfig?.Privileged, undefined);
  assert.deepEqual(without.Volumes, {});
});

test("an image's own health check does not count", () => {
  assert.deepEqual(containerOptions(aGroup(plain), plain, host).Healthcheck, { Test: ["NONE"] });
});

test("a group that cannot be written down is refused by name", () => {
  const mounting = { ...plain, mounts: [{ volume: "absent", path: "/x" }] };
  assert.throws(() => assertValidGroup(aGroup(mounting)), /mounts absent/);
  assert.throws(() => assertValidGroup(aGroup(plain, plain)), /names a container twice/);
  assert.throws(() => assertValidGroup({ ...aGroup(plain), id: "Not.Valid" }), /Group id Not\.Valid/);
  assert.throws(() => assertValidGroup(aGroup()), /no containers/);
  assert.throws(() => assertValidGroup(aGroup({ ...plain, name: "a.b" })), /Container name a\.b/);
});
