import assert from "node:assert/strict";
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import { until } from "#demo/until.ts";
import { aClosedPort, aServer } from "#gateway/edge-testing.ts";
import { requestHandler } from "#gateway/handle.ts";
import { type TestSystem, testSystem } from "../../../tests/helpers/test-system.ts";
import { elbv2 } from "./index.ts";
import {
  aListener,
  aLoadBalancer,
  aTarget,
  aTargetGroup,
  deregister,
  forwardTo,
  healthOf,
  type RunningTarget,
  register,
} from "./testing.ts";

const QUICK = { timeout: 30_000 };

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Edge {
  readonly system: TestSystem;
  readonly host: string;
  readonly loadBalancer: string;
  readonly group: string;
  readonly listener: string;
  /** Sends a request to the load balancer over kept connections. */
  get(path?: string, options?: Ask): Promise<Answer>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly host?: string;
}

/** A load balancer with one listener that forwards to one group, whose targets are healthy when this resolves. */
async function anEdge(t: TestContext, ...targets: readonly RunningTarget[]): Promise<Edge> {
  const system = await testSystem({ services: [elbv2] });
  const plane = elbv2.dataPlanes[0]!;
  await plane.start!(system);
  const port = await aServer(t, createServer(requestHandler(system, system.registry)));
  const agent = new Agent({ keepAlive: true });
  t.after(async () => {
    agent.destroy();
    await plane.stop!();
    await system[Symbol.asyncDispose]();
  });
  const { arn, dnsName } = await aLoadBalancer(system.root);
  const group = await aTargetGroup(system.root);
  const listener = await aListener(system.root, arn, forwardTo(group));
  const host = dnsName;
  const get = (path = "/", ask: Ask = {}) => send(port, agent, path, { host, ...ask });
  await register(system.root, group, ...targets);
  for (const target of targets) await isHealthy(system, group, target);
  return { system, host, loadBalancer: arn, group, listener, get };
}

function send(port: number, agent: Agent, path: string, { method = "GET", headers, body, host }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, agent, headers: { ...headers, host } };
    const request = httpRequest(options, (response) => {
      text(response).then(
        (answered) => resolve({ status: response.statusCode!, headers: response.headers, body: answered }),
        reject,
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const isHealthy = (system: TestSystem, group: string, target: RunningTarget) =>
  until(async () => (await healthOf(system.root, group, target))?.State === "healthy");

const setDelay = (system: TestSystem, group: string, seconds: number) =>
  setAttribute(system, group, "deregistration_delay.timeout_seconds", String(seconds));

async function setAttribute(system: TestSystem, group: string, Key: string, Value: string): Promise<void> {
  const Attributes = [{ Key, Value }];
  await system.root.send(new sdk.ModifyTargetGroupAttributesCommand({ TargetGroupArn: group, Attributes }));
}

test("requests go to the targets in turn", QUICK, async (t) => {
  const [one, two, three] = [await aTarget(t, "one"), await aTarget(t, "two"), await aTarget(t, "three")];
  const { get } = await anEdge(t, one, two, three);
  for (let i = 0; i < 12; i++) assert.equal((await get()).status, 200);
  assert.deepEqual([one.served, two.served, three.served], [4, 4, 4]);
});

test("a target learns who asked, and hop-by-hop headers stay behind", QUICK, async (t) => {
  const target = await aTarget(t, (request, response) => {
    response.setHeader("Connection", "close, X-Private");
    response.setHeader("X-Private", "1");
    response.end(JSON.stringify(request.headers));
  });
  const { get, host } = await anEdge(t, target);
  const answer = await get("/", {
    headers: {
      "X-Forwarded-For": "203.0.113.7",
      "X-Forwarded-Proto": "https",
      TE: "trailers",
      "X-Amzn-Trace-Id": "Root=1-1-1",
    },
  });
  const seen = JSON.parse(answer.body) as Record<string, string>;
  assert.equal(seen.host, host);
  assert.equal(seen["x-forwarded-for"], "203.0.113.7, 127.0.0.1");
  assert.equal(seen["x-forwarded-proto"], "http");
  assert.equal(seen["x-forwarded-port"], "80");
  assert.match(seen["x-amzn-trace-id"]!, /^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-1-1$/);
  assert.equal(seen.te, undefined);
  assert.equal(answer.headers["x-private"], undefined);
});

test("the name under .elb.localhost is the same load balancer, whatever port the gateway has", QUICK, async (t) => {
  const target = await aTarget(t, "here");
  const { get, host } = await anEdge(t, target);
  const local = `${host.replace(".amazonaws.com", ".localhost")}:4566`;
  assert.equal((await get("/", { host: local })).body, "here");
  assert.equal((await get("/", { host: host.toUpperCase() })).body, "here");
  const unknown = await get("/", { host: "nobody-1.us-east-1.elb.localhost" });
  assert.equal(unknown.status, 404);
});

test("the port in the Host header chooses among listeners", QUICK, async (t) => {
  const target = await aTarget(t, "target");
  const { system, get, host, loadBalancer } = await anEdge(t, target);
  const fixed: sdk.Action = { Type: "fixed-response", FixedResponseConfig: { StatusCode: "418", MessageBody: "tea" } };
  await aListener(system.root, loadBalancer, fixed, { Port: 8080 });
  const answer = await get("/", { host: `${host}:8080` });
  assert.deepEqual([answer.status, answer.body], [418, "tea"]);
  assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
  assert.equal((await get()).body, "target");
});

test("rules are evaluated by priority, with redirects and fixed responses", QUICK, async (t) => {
  const { system, get, host, listener } = await anEdge(t, await aTarget(t, "default"));
  const rule = (Priority: number, Values: string[], action: sdk.Action) =>
    system.root.send(
      new sdk.CreateRuleCommand({
        ListenerArn: listener,
        Priority,
        Conditions: [{ Field: "path-pattern", Values }],
        Actions: [action],
      }),
    );
  await rule(20, ["/old*"], { Type: "fixed-response", FixedResponseConfig: { StatusCode: "410" } });
  await rule(10, ["/old/moved"], {
    Type: "redirect",
    RedirectConfig: { StatusCode: "HTTP_301", Path: "/new/#{path}", Query: "from=#{host}&#{query}" },
  });
  assert.equal((await get("/old/gone")).status, 410);
  const moved = await get("/old/moved?a=1", { host: `${host}:4566` });
  assert.equal(moved.status, 301);
  assert.equal(moved.headers.location, `http://${host}:4566/new/old/moved?from=${host}&a=1`);
  assert.equal((await get("/other")).body, "default");
});

test("weights decide between target groups", QUICK, async (t) => {
  const [blue, green] = [await aTarget(t, "blue"), await aTarget(t, "green")];
  const { system, get, group, listener } = await anEdge(t, blue);
  const other = await aTargetGroup(system.root, { Name: "green" });
  const TargetGroups = [
    { TargetGroupArn: group, Weight: 0 },
    { TargetGroupArn: other, Weight: 1 },
  ];
  const DefaultActions: sdk.Action[] = [{ Type: "forward", ForwardConfig: { TargetGroups } }];
  await system.root.send(new sdk.ModifyListenerCommand({ ListenerArn: listener, DefaultActions }));
  await register(system.root, other, green);
  await isHealthy(system, other, green);
  for (let i = 0; i < 10; i++) assert.equal((await get()).body, "green");
});

test("a cookie keeps a client with its target", QUICK, async (t) => {
  const [one, two] = [await aTarget(t, "one"), await aTarget(t, "two")];
  const { system, get, group } = await anEdge(t, one, two);
  await setAttribute(system, group, "stickiness.enabled", "true");
  await until(async () => (await get()).headers["set-cookie"] !== undefined);
  const first = await get();
  const cookie = first.headers["set-cookie"]!.find((value) => value.startsWith("AWSALB="))!.split(";")[0]!;
  for (let i = 0; i < 6; i++) assert.equal((await get("/", { headers: { cookie } })).body, first.body);
});

test("the least busy target gets the request where the group says so", QUICK, async (t) => {
  const busy = await aTarget(t, (request, response) => {
    if (request.url !== "/slow") response.end("busy");
  });
  const idle = await aTarget(t, (request, response) => {
    if (request.url !== "/slow") response.end("idle");
  });
  const { system, get, group } = await anEdge(t, busy, idle);
  await setAttribute(system, group, "load_balancing.algorithm.type", "least_outstanding_requests");
  get("/slow").catch(() => {}); // is never answered, so that its target stays the busier one
  await until(() => busy.served + idle.served === 1);
  const free = busy.served === 1 ? "idle" : "busy";
  for (let i = 0; i < 6; i++) assert.equal((await get()).body, free);
});

test("large bodies are streamed both ways, unharmed", QUICK, async (t) => {
  const target = await aTarget(t, (request, response) => request.pipe(response));
  const { get } = await anEdge(t, target);
  const body = Buffer.alloc(24 * 1024 * 1024, "0123456789abcdef");
  const answer = await get("/", { method: "POST", body });
  assert.equal(answer.body.length, body.length);
  assert.ok(Buffer.from(answer.body).equals(body));
});

test(
  "without targets the answer is 503, with a dead one 502, and 504 where it says nothing in time",
  QUICK,
  async (t) => {
    const { system, get, group, loadBalancer } = await anEdge(t);
    const none = await get();
    assert.equal(none.status, 503);
    assert.match(none.body, /503 Service Temporarily Unavailable/);
    assert.equal(none.headers.server, "awselb/2.0");

    const dead = { port: await aClosedPort() } as RunningTarget;
    await register(system.root, group, dead);
    await until(async () => (await get()).status === 502); // fails open: there is no healthy one

    await deregister(system.root, group, dead);
    await register(system.root, group, await aTarget(t, () => {}));
    const Attributes = [{ Key: "idle_timeout.timeout_seconds", Value: "1" }];
    await system.root.send(new sdk.ModifyLoadBalancerAttributesCommand({ LoadBalancerArn: loadBalancer, Attributes }));
    await until(async () => (await get()).status === 504);
  },
);

test("a target that breaks off its answer breaks off the client's", QUICK, async (t) => {
  const target = await aTarget(t, (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("half", () => response.destroy());
  });
  const { get } = await anEdge(t, target);
  await assert.rejects(get(), /aborted|ECONNRESET|socket hang up/);
});

test("a connection that fails is tried with another target, for a body too", QUICK, async (t) => {
  const [alive, dying] = [await aTarget(t, (request, response) => request.pipe(response)), await aTarget(t, "dying")];
  const { get } = await anEdge(t, alive, dying);
  await dying.stop(); // and nobody has noticed yet
  for (let i = 0; i < 6; i++) {
    const answer = await get("/", { method: "POST", body: `hello ${i}` });
    assert.deepEqual([answer.status, answer.body], [200, `hello ${i}`]);
  }
});

test("a request that may have been carried out is not repeated", QUICK, async (t) => {
  let count = 0;
  const breaking = (request: { socket: { destroy(): void } }) => {
    count++;
    request.socket.destroy();
  };
  const { get } = await anEdge(t, await aTarget(t, breaking), await aTarget(t, breaking));
  assert.equal((await get("/", { method: "POST", body: "order" })).status, 502);
  assert.equal(count, 1);
  count = 0;
  assert.equal((await get("/")).status, 502);
  assert.equal(count, 2);
});

test("a target's health follows its checks, and only healthy ones get requests", QUICK, async (t) => {
  const [good, bad] = [await aTarget(t, "good"), await aTarget(t, "bad")];
  bad.status = 500;
  const { system, get, group } = await anEdge(t, good);
  const settings = { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 2, UnhealthyThresholdCount: 2 };
  await system.root.send(new sdk.ModifyTargetGroupCommand({ TargetGroupArn: group, ...settings }));
  const published: string[] = [];
  system.bus.subscribe("elbv2:target-health", (key) => published.push(key));
  await register(system.root, group, bad);
  await until(async () => (await healthOf(system.root, group, bad))?.Reason === "Elb.InitialHealthChecking");
  for (let i = 0; i < 4; i++) assert.equal((await get()).body, "good");
  await until(async () => (await healthOf(system.root, group, bad))?.State === "unhealthy");
  assert.deepEqual(await healthOf(system.root, group, bad), {
    State: "unhealthy",
    Reason: "Target.ResponseCodeMismatch",
    Description: "Health checks failed with these codes: [500]",
  });
  for (let i = 0; i < 4; i++) assert.equal((await get()).body, "good");
  assert.ok(published.length >= 3 && published.every((key) => key === group));
});

test("a draining target finishes what it has, gets nothing new, and then is gone", QUICK, async (t) => {
  let finish: (() => void) | undefined;
  const old = await aTarget(t, (request, response) => {
    if (request.url === "/slow") finish = () => response.end("finished");
    else response.end("old");
  });
  const { system, get, group } = await anEdge(t, old);
  const fresh = await aTarget(t, "fresh");
  await register(system.root, group, fresh);
  await isHealthy(system, group, fresh);
  await setDelay(system, group, 2);
  const slow = (async () => {
    // In turns: one of two goes to the old target.
    const answers = await Promise.all([get("/slow"), get("/slow")]);
    return answers.map(({ body }) => body).sort();
  })();
  await until(() => finish !== undefined);
  await deregister(system.root, group, old);
  assert.deepEqual(await healthOf(system.root, group, old), {
    State: "draining",
    Reason: "Target.DeregistrationInProgress",
    Description: "Target deregistration is in progress",
  });
  await until(async () => (await get()).body === "fresh" && (await get()).body === "fresh");
  for (let i = 0; i < 4; i++) assert.equal((await get()).body, "fresh");
  finish!();
  assert.deepEqual(await slow, ["finished", "fresh"]);
  await until(async () => (await healthOf(system.root, group, old)) === undefined);
});

test("what is still under way when the deregistration delay is over is cut", QUICK, async (t) => {
  const hanging = await aTarget(t, () => {});
  const { system, get, group } = await anEdge(t, hanging);
  await setDelay(system, group, 1);
  const answer = get("/", { method: "POST" });
  await until(() => hanging.served === 1);
  await deregister(system.root, group, hanging);
  assert.equal((await answer).status, 502);
});

test("a rolling deployment under constant load fails no request", { timeout: 120_000 }, async (t) => {
  let current = await aTarget(t, "0");
  const { system, get, group } = await anEdge(t, current);
  // Longer than a busy machine keeps a request waiting: what is under way after it is cut, as it should be.
  await setDelay(system, group, 3);
  let rolling = true;
  let requests = 0;
  const failures: unknown[] = [];
  const client = async (ask: Ask) => {
    while (rolling) {
      const { status, body } = await get("/", ask).catch((error: unknown) => ({ status: 0, body: String(error) }));
      requests++;
      if (status !== 200) failures.push({ status, body });
    }
  };
  const load = [client({}), client({}), client({}), client({ method: "POST", body: "x" })];
  const gone: Promise<void>[] = [];
  for (let version = 1; version <= 50; version++) {
    const next = await aTarget(t, String(version));
    await register(system.root, group, next);
    await isHealthy(system, group, next);
    const old = current;
    await deregister(system.root, group, old);
    // As ECS does: a task is stopped when its target is gone.
    gone.push(until(async () => (await healthOf(system.root, group, old)) === undefined).then(() => old.stop()));
    current = next;
  }
  await Promise.all(gone);
  rolling = false;
  await Promise.all(load);
  assert.deepEqual(failures, []);
  assert.ok(requests > 200, `only ${requests} requests`);
  assert.equal((await get()).body, "50");
});

test("after a restart a healthy target is healthy at once", QUICK, async (t) => {
  const target = await aTarget(t, "still here");
  const { system, get, group } = await anEdge(t, target);
  const plane = elbv2.dataPlanes[0]!;
  await plane.stop!();
  target.status = 500; // the first check after the restart fails, which is not yet enough
  await plane.start!(system);
  assert.equal((await healthOf(system.root, group, target))?.State, "healthy");
  assert.equal((await get()).body, "still here");
});
