/**
 * The services and actions that AWS's policies can name: `service-reference/*.generated.json`, written by
 * `tools/generate-service-reference.ts`. Read when asked for and not kept.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
import { readFileSync } from "node:fs";

const FOLDER = new URL("./service-reference/", import.meta.url);

/** Names of all services by their prefixes ("codebuild"), in the order of the prefixes. */
export function serviceNames(): ReadonlyMap<string, string> {
  return read("index");
}

/**
 * The actions of a service ("StartBuild") with the ARN template of the resource that each is about, "*" where there is
 * none. Empty where there is no such service.
 */
export function actionsOf(prefix: string): ReadonlyMap<string, string> {
  return serviceNames().has(prefix) ? read(prefix) : new Map();
}

function read(name: string): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`${name}.generated.json`, FOLDER), "utf8");
  return new Map(Object.entries(JSON.parse(text) as Record<string, string>));
}
