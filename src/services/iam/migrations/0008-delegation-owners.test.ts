import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-iam";
import type { Database } from "#store/database.ts";
import { ACCOUNT } from "#tests/helpers/test-system.ts";
import { aRequest, delegationSystem } from "../delegation/testing.ts";
import { aRole } from "../testing.ts";
import { delegationOwners } from "./0008-delegation-owners.ts";

type Tables = { iam_delegation_requests: { request_id: string; owner_account_id: string; owner_id: string } };

const requests = (db: Database) => db.withTables<Tables>();

test("owners that were kept by their ARNs are kept by the ids of those who were meant", async () => {
  await using system = await delegationSystem();
  const create = (UserName: string, Path = "/") => system.root.send(new sdk.CreateUserCommand({ UserName, Path }));
  system.setNow(new Date("2026-01-01T00:00:00Z"));
  const role = await aRole(system, "lead");
  const alice = (await create("alice", "/people/")).User!;
  const owners = [
    [`arn:aws:iam::${ACCOUNT}:user/people/alice`, alice.UserId!],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/lead/monday`, `${role.RoleId}:monday`],
    [`arn:aws:sts::${ACCOUNT}:federated-user/guest`, `${ACCOUNT}:guest`],
    [`arn:aws:iam::${ACCOUNT}:root`, ACCOUNT],
    [`arn:aws:iam::${ACCOUNT}:user/alice`, `arn:aws:iam::${ACCOUNT}:user/alice`],
    [`arn:aws:iam::${ACCOUNT}:user/gone`, `arn:aws:iam::${ACCOUNT}:user/gone`],
    [`arn:aws:iam::${ACCOUNT}:user/bob`, `arn:aws:iam::${ACCOUNT}:user/bob`],
  ] as const;
  system.setNow(new Date("2026-01-02T00:00:00Z"));
  const ids: string[] = [];
  for (const [owner_id] of owners) {
    const id = await aRequest(system);
    const kept = { owner_account_id: ACCOUNT, owner_id };
    await requests(system.db).updateTable("iam_delegation_requests").set(kept).where("request_id", "=", id).execute();
    ids.push(id);
  }
  system.setNow(new Date("2026-01-03T00:00:00Z"));
  await create("bob"); // not the one who took the request
  await delegationOwners.up(system.db);
  const rows = await requests(system.db).selectFrom("iam_delegation_requests").selectAll().execute();
  const kept = new Map(rows.map(({ request_id, owner_id }) => [request_id, owner_id]));
  assert.deepEqual(
    ids.map((id) => kept.get(id)),
    owners.map(([, id]) => id),
  );
});
