/** The services of this process, found by what a request or a command names. */
import { WireError } from "./errors.ts";
import { parsedTarget } from "./protocols/json-rpc.ts";
import type { OperationModel, Service } from "./service.ts";

export class Registry {
  readonly services: readonly Service[];
  readonly #bySigningName = new Map<string, Service>();
  readonly #byTarget = new Map<string, Service>();
  readonly #byNamespace = new Map<string, Service>();
  readonly #byEndpoint = new Map<string, Service>();

  constructor(services: readonly Service[]) {
    this.services = services;
    for (const service of services) {
      add(this.#bySigningName, service.signingName, service);
      if (service.target) add(this.#byTarget, service.target, service);
      // A service that shares a package's model (codeconnections) is called by the first one's commands.
      if (!this.#byNamespace.has(service.namespace)) this.#byNamespace.set(service.namespace, service);
      this.#byEndpoint.set(service.endpointPrefix, service);
    }
  }

  bySigningName(name: string): Service | undefined {
    return this.#bySigningName.get(name);
  }

  /** By the header `X-Amz-Target`. */
  byTarget(header: string): Service | undefined {
    return this.#byTarget.get(parsedTarget(header).service);
  }

  /** `codebuild.eu-west-1.amazonaws.com` */
  byHost(host: string): Service | undefined {
    return this.#byEndpoint.get(host.slice(0, host.indexOf(".")));
  }

  /** The service of an ARN: `arn:aws:elasticloadbalancing:…`. */
  byArn(arn: string): Service | undefined {
    return arn.startsWith("arn:") ? this.#bySigningName.get(arn.split(":", 3)[2] ?? "") : undefined;
  }

  byCommand(namespace: string, name: string): { service: Service; model: OperationModel } {
    const service = this.#byNamespace.get(namespace);
    const model = service?.operations.get(name);
    if (!service || !model)
      throw new WireError("InternalFailure", 500, `No service has the operation ${namespace}#${name}`);
    return { service, model };
  }
}

function add(map: Map<string, Service>, key: string, service: Service): void {
  const other = map.get(key);
  if (other) throw new Error(`${service.name} and ${other.name} both answer to ${key}`);
  map.set(key, service);
}
