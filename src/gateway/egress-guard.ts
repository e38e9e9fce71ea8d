/**
 * Which addresses the egress proxy connects to. It runs beside the control plane, so without a guard a build could reach
 * through it what only this machine can: services on loopback, the cloud's metadata service, the control plane itself.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { networkInterfaces } from "node:os";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

type Subnet = readonly [network: string, prefix: number, family: "ipv4" | "ipv6"];

const LOOPBACK: readonly Subnet[] = [
  ["127.0.0.0", 8, "ipv4"],
  ["::1", 128, "ipv6"],
];
/** Further ranges of IANA's special-purpose registries (RFC 6890) that lead to this machine, this link or many. */
const FORBIDDEN: readonly Subnet[] = [
  ["0.0.0.0", 8, "ipv4"], // "this host": connects to loopback on Linux
  ["169.254.0.0", 16, "ipv4"], // link-local: instance metadata, ECS credentials
  ["224.0.0.0", 4, "ipv4"], // multicast
  ["240.0.0.0", 4, "ipv4"], // reserved and broadcast
  ["::", 128, "ipv6"], // unspecified
  ["64:ff9b::", 96, "ipv6"], // NAT64: an IPv4 address in disguise
  ["64:ff9b:1::", 48, "ipv6"], // NAT64, local use
  ["2002::", 16, "ipv6"], // 6to4: likewise
  ["fe80::", 10, "ipv6"], // link-local
  ["fd00:ec2::", 32, "ipv6"], // EC2's metadata, time and DNS services over IPv6
  ["ff00::", 8, "ipv6"], // multicast
];

const loopback = blockList(LOOPBACK);
const forbidden = blockList(FORBIDDEN);

function blockList(subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) list.addSubnet(...subnet);
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/**
 * Whether `address` is one at which an administrator may have put a service: on the Internet, in a private network or on this
 * machine, but neither link-local nor multicast, nor another address in disguise.
 */
export function isOrdinary(address: string): boolean {
  return !isIn(forbidden, address);
}

/**
 * Whether the proxy may connect to `address`: neither in a forbidden range nor one of this machine's own addresses, which
 * are read anew each time because container networks come and go. IPv4-mapped IPv6 counts as the IPv4 address it is.
 */
export function isReachable(address: string): boolean {
  if (!isOrdinary(address) || isIn(loopback, address)) return false;
  const own = new BlockList();
  for (const { address: ownAddress, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    own.addAddress(ownAddress, family === "IPv6" ? "ipv6" : "ipv4");
  }
  return !isIn(own, address);
}

/** All addresses of a host name in the system resolver's order. Rejects with the resolver's error, never resolves to none. */
export async function systemAddresses(hostname: string): Promise<readonly ResolvedAddress[]> {
  const addresses = await lookup(hostname, { all: true });
  return addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

/** A `lookup` for `net.connect` that answers with these addresses only: what was checked is what gets connected to. */
export function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all) {
      callback(null, [...addresses]);
    } else if (first) {
      callback(null, first.address, first.family);
    } else {
      callback(Object.assign(new Error("no address"), { code: "ENOTFOUND" }), "");
    }
  };
}
