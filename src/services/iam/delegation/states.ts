/**
 * How a delegation request goes on, and when it expires.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/temporary-delegation-building-integration.html#temporary-delegation-request-lifecycle
 */
const DAY_MS = 24 * 60 * 60 * 1000;

/** "Requests automatically expire if no action is taken within the specified timeframe", in days; the last two in any case. */
const LIFETIMES = {
  UNASSIGNED: 1,
  ASSIGNED: 7,
  PENDING_APPROVAL: 7,
  ACCEPTED: 7,
  REJECTED: 7,
  FINALIZED: 7,
} as const;

/** A request becomes EXPIRED by itself. */
export type StoredState = keyof typeof LIFETIMES;
export type State = StoredState | "EXPIRED";

interface Step {
  readonly from: readonly State[];
  readonly to: StoredState;
}

/** By the action; a request that waits for its approval may get further notes. */
export const STEPS = {
  AssociateDelegationRequest: { from: ["UNASSIGNED"], to: "ASSIGNED" },
  UpdateDelegationRequest: { from: ["ASSIGNED", "PENDING_APPROVAL"], to: "PENDING_APPROVAL" },
  AcceptDelegationRequest: { from: ["ASSIGNED", "PENDING_APPROVAL"], to: "ACCEPTED" },
  RejectDelegationRequest: { from: ["ASSIGNED", "PENDING_APPROVAL", "ACCEPTED"], to: "REJECTED" },
  SendDelegationToken: { from: ["ACCEPTED"], to: "FINALIZED" },
} as const satisfies Record<string, Step>;

export type StepAction = keyof typeof STEPS;

interface Stateful {
  readonly state: StoredState;
  /** When it came into its state. */
  readonly stateSince: Date;
}

export function expirationOf({ state, stateSince }: Stateful): Date {
  return new Date(stateSince.getTime() + LIFETIMES[state] * DAY_MS);
}

export function stateAt(request: Stateful, now: Date): State {
  return expirationOf(request) <= now ? "EXPIRED" : request.state;
}

/** undefined where the step cannot be taken from the state. */
export function stateAfter(action: StepAction, state: State): StoredState | undefined {
  const { from, to }: Step = STEPS[action];
  return from.includes(state) ? to : undefined;
}
