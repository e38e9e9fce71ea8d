/** Load balancers for tests: resources with sensible settings, and targets on loopback that really answer. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import * as sdk from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Client } from "#gateway/client.ts";

export const SUBNETS = ["subnet-0a1", "subnet-0b2"];

export async function aLoadBalancer(client: Client, input: Partial<sdk.CreateLoadBalancerInput> = {}) {
  const command = new sdk.CreateLoadBalancerCommand({ Name: "web", Subnets: SUBNETS, ...input });
  const { LoadBalancers } = await client.send(command);
  const [created] = LoadBalancers!;
  return { arn: created!.LoadBalancerArn!, dnsName: created!.DNSName!, output: created! };
}

/** Of type ip, checked at /health. */
export async function aTargetGroup(client: Client, input: Partial<sdk.CreateTargetGroupInput> = {}): Promise<string> {
  const command = new sdk.CreateTargetGroupCommand({
    Name: "app",
    Protocol: "HTTP",
    Port: 4567,
    VpcId: "vpc-0c3",
    TargetType: "ip",
    HealthCheckPath: "/health",
    ...input,
  });
  const { TargetGroups } = await client.send(command);
  return TargetGroups![0]!.TargetGroupArn!;
}

export const forwardTo = (TargetGroupArn: string): sdk.Action => ({ Type: "forward", TargetGroupArn });

/** HTTP on port 80 unless the input says otherwise. */
export async function aListener(
  client: Client,
  loadBalancerArn: string,
  action: sdk.Action,
  input: Partial<sdk.CreateListenerInput> = {},
): Promise<string> {
  const command = new sdk.CreateListenerCommand({
    LoadBalancerArn: loadBalancerArn,
    Protocol: "HTTP",
    Port: 80,
    DefaultActions: [action],
    ...input,
  });
  const { Listeners } = await client.send(command);
  return Listeners![0]!.ListenerArn!;
}

export async function register(client: Client, group: string, ...targets: readonly RunningTarget[]): Promise<void> {
  const Targets = targets.map(({ port }) => ({ Id: "127.0.0.1", Port: port }));
  await client.send(new sdk.RegisterTargetsCommand({ TargetGroupArn: group, Targets }));
}

export async function deregister(client: Client, group: string, ...targets: readonly RunningTarget[]): Promise<void> {
  const Targets = targets.map(({ port }) => ({ Id: "127.0.0.1", Port: port }));
  await client.send(new sdk.DeregisterTargetsCommand({ TargetGroupArn: group, Targets }));
}

/** The health of one target of the group; undefined once it is gone. */
export async function healthOf(
  client: Client,
  group: string,
  { port }: RunningTarget,
): Promise<sdk.TargetHealth | undefined> {
  const { TargetHealthDescriptions } = await client.send(
    new sdk.DescribeTargetHealthCommand({ TargetGroupArn: group }),
  );
  return TargetHealthDescriptions!.find(({ Target }) => Target!.Port === port)?.TargetHealth;
}

export interface RunningTarget {
  readonly port: number;
  readonly server: Server;
  /** How many requests came, health checks aside. */
  served: number;
  /** What health checks are answered. */
  status: number;
  /** Stops to listen, waits for what is under way, as a task does at SIGTERM. */
  stop(): Promise<void>;
}

/** Answers its name unless the test gives it a handler. */
export async function aTarget(test: TestContext, handler: string | RequestListener): Promise<RunningTarget> {
  const target = { port: 0, served: 0, status: 200 } as RunningTarget & { port: number; server: Server };
  target.server = createServer((request, response) => {
    if (request.url === "/health") {
      response.writeHead(target.status).end();
      return;
    }
    target.served++;
    if (typeof handler === "string") response.end(handler);
    else handler(request, response);
  });
  await new Promise<void>((resolve) => target.server.listen(0, "127.0.0.1", resolve));
  target.port = (target.server.address() as AddressInfo).port;
  target.stop = () =>
    new Promise((resolve) => {
      target.server.close(() => resolve());
      target.server.closeIdleConnections();
    });
  test.after(() => {
    target.server.close();
    target.server.closeAllConnections();
  });
  return target;
}
