import assert from "node:assert/strict";
import { test } from "node:test";
import { expirationOf, STEPS, type State, type StepAction, type StoredState, stateAfter, stateAt } from "./states.ts";

const STATES: readonly State[] = [
  "UNASSIGNED",
  "ASSIGNED",
  "PENDING_APPROVAL",
  "ACCEPTED",
  "FINALIZED",
  "REJECTED",
  "EXPIRED",
];

test("requests go the ways that AWS draws, and no other", () => {
  const ways = STATES.flatMap((state) =>
    (Object.keys(STEPS) as StepAction[]).flatMap((action) => {
      const to = stateAfter(action, state);
      return to ? [`${state} → ${to}`] : [];
    }),
  );
  assert.deepEqual(ways, [
    "UNASSIGNED → ASSIGNED",
    "ASSIGNED → PENDING_APPROVAL",
    "ASSIGNED → ACCEPTED",
    "ASSIGNED → REJECTED",
    "PENDING_APPROVAL → PENDING_APPROVAL",
    "PENDING_APPROVAL → ACCEPTED",
    "PENDING_APPROVAL → REJECTED",
    "ACCEPTED → REJECTED",
    "ACCEPTED → FINALIZED",
  ]);
});

test("every state expires, an unassigned request after a day, the others after seven", () => {
  const stateSince = new Date("2026-01-01T00:00:00Z");
  const last = (state: StoredState) => expirationOf({ state, stateSince }).toISOString();
  assert.equal(last("UNASSIGNED"), "2026-01-02T00:00:00.000Z");
  for (const state of ["ASSIGNED", "PENDING_APPROVAL", "ACCEPTED", "FINALIZED", "REJECTED"] as const) {
    assert.equal(last(state), "2026-01-08T00:00:00.000Z");
    assert.equal(stateAt({ state, stateSince }, new Date("2026-01-07T23:59:59.999Z")), state);
    assert.equal(stateAt({ state, stateSince }, new Date("2026-01-08T00:00:00Z")), "EXPIRED");
  }
});
