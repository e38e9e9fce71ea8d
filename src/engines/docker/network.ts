/**
 * The bridge network that all groups are on. Its gateway, where Slipway listens, is 169.254.170.2: AWS's SDKs take
 * container credentials over plain HTTP from that address and from loopback only
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
 */
import { type DockerClient, refusalStatus } from "./docker-client.ts";

export const networkName = "slipway";
const subnet = "169.254.170.0/24";
export const gatewayAddress = "169.254.170.2";

interface NetworkInspectInfo {
  readonly IPAM?: { readonly Config: readonly { readonly Gateway?: string }[] | null };
}

export class GroupNetwork {
  readonly #client: DockerClient;
  #ready: Promise<void> | undefined;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** Makes the network or adopts the one there is. One request, once; a failure is tried again at the next call. */
  ready(): Promise<void> {
    this.#ready ??= this.#prepare().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** Forgets that the network is there: `docker network prune` takes it whenever no group is on it. */
  lost(): void {
    this.#ready = undefined;
  }

  async #prepare(): Promise<void> {
    if (await this.#adopted()) return;
    try {
      await this.#client.call((docker) =>
        docker.post("/networks/create", {
          body: {
            Name: networkName,
            Driver: "bridge",
            CheckDuplicate: true,
            IPAM: { Driver: "default", Config: [{ Subnet: subnet, Gateway: gatewayAddress }] },
          },
        }),
      );
    } catch (error) {
      // Another Slipway on this daemon was quicker.
      if (refusalStatus(error) === 409 && (await this.#adopted())) return;
      throw error;
    }
  }

  async #adopted(): Promise<boolean> {
    const found = await this.#client
      .call((docker) => docker.get<NetworkInspectInfo>(`/networks/${networkName}`))
      .catch((error) => {
        if (refusalStatus(error) === 404) return undefined;
        throw error;
      });
    if (found === undefined) return false;
    const gateways: unknown[] = (found.IPAM?.Config ?? []).map((config) => config.Gateway);
    if (!gateways.includes(gatewayAddress)) {
      throw new Error(
        `The docker network ${networkName} has the gateway ${gateways.join(", ") || "none"} instead of ` +
          `${gatewayAddress}: remove it (docker network rm ${networkName}) and start again.`,
      );
    }
    return true;
  }
}
