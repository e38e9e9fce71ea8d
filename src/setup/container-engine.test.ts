import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { configuredSocket, dockerdSockets } from "./container-engine.ts";
import { MAX_SOCKET_PATH_BYTES } from "./engine-socket.ts";
import { privateEnginePaths } from "./private-engine.ts";

test("DOCKER_HOST is a Unix socket, unset, or refused with advice", () => {
  assert.equal(configuredSocket("unix:///run/x.sock"), "/run/x.sock");
  assert.equal(configuredSocket(undefined), undefined);
  assert.equal(configuredSocket(""), undefined);
  assert.throws(() => configuredSocket("tcp://10.0.0.1:2375"), /unset it/);
});

test("a running dockerd's sockets are read from its command line", () => {
  assert.deepEqual(dockerdSockets(["/usr/sbin/dockerd", "-H", "fd://", "-H", "unix:///a.sock"]), ["/a.sock"]);
  assert.deepEqual(dockerdSockets(["dockerd", "--host=unix:///b.sock", "--host", "tcp://0.0.0.0:1"]), ["/b.sock"]);
  assert.deepEqual(dockerdSockets(["vim", "-H", "unix:///a.sock"]), []);
  assert.deepEqual(dockerdSockets(undefined), []);
});

test("a deep data folder's sockets move where their paths are short enough", () => {
  const shallow = privateEnginePaths("/srv/slipway");
  assert.equal(shallow.socketPath, "/srv/slipway/docker/docker.sock");
  const deep = privateEnginePaths(`/srv/${"deep/".repeat(30)}`);
  const containerd = join(deep.execRoot, "containerd", "containerd.sock.ttrpc");
  assert.ok(containerd.length <= MAX_SOCKET_PATH_BYTES, containerd);
  assert.match(deep.socketPath, /^\/run\/slipway\/[0-9a-f]{16}\/docker\.sock$/);
  assert.ok(deep.pidFile.startsWith("/srv/deep/"));
  assert.notEqual(deep.socketPath, privateEnginePaths(`/srv/${"deep/".repeat(31)}`).socketPath);
});
