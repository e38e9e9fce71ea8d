/** The combinations of resources that EC2's actions need. https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html */
import { invalidInput } from "../errors.ts";

const VPC = ["instance", "image", "security-group", "network-interface"] as const;

const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  "EC2-VPC-InstanceStore": VPC,
  "EC2-VPC-InstanceStore-Subnet": [...VPC, "subnet"],
  "EC2-VPC-EBS": [...VPC, "volume"],
  "EC2-VPC-EBS-Subnet": [...VPC, "subnet", "volume"],
};

/** Throws InvalidInput for an unknown scenario, and where one of its resources is not among the ARNs. */
export function requireScenario(option: string | undefined, arns: readonly string[]): void {
  if (option === undefined) return;
  const needed = Object.hasOwn(SCENARIOS, option) ? SCENARIOS[option]! : undefined;
  if (!needed) throw invalidInput(`${option} is not a resource handling option: ${Object.keys(SCENARIOS).join(", ")}`);
  const types = new Set(arns.map((arn) => /^arn:[\w*-]+:ec2:[^:]*:[^:]*:([a-z-]+)\//.exec(arn)?.[1]));
  const missing = needed.filter((type) => !types.has(type));
  if (missing.length > 0) throw invalidInput(`${option} requires resources of these types too: ${missing.join(", ")}`);
}
