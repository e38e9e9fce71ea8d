import assert from "node:assert/strict";
import { it } from "node:test";
import { bridgesIn } from "./stale-bridges.ts";

it("takes docker's own bridges for networks and nothing else", () => {
  const addresses = [
    "6: br-73762ae7bb99    inet 169.254.170.2/24 brd 169.254.170.255 scope global br-73762ae7bb99\\       valid_lft forever",
    "7: br-lan    inet 169.254.170.2/24 scope global br-lan\\       valid_lft forever",
    "8: eth0    inet 169.254.170.2/24 scope global eth0\\       valid_lft forever",
    "",
  ].join("\n");
  assert.deepEqual(bridgesIn(addresses), ["br-73762ae7bb99"]);
});
