/**
 * The states of a key. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 *
 *              disable                 scheduleDeletion
 *    Enabled ──────────▶ Disabled      Enabled, Disabled ──────────▶ PendingDeletion ── the date comes ──▶ gone
 *            ◀──────────               Disabled ◀── cancelDeletion ──┘
 *              enable
 */
export type KeyState = "Enabled" | "Disabled" | "PendingDeletion";
export type KeyEvent = "enable" | "disable" | "scheduleDeletion" | "cancelDeletion";

const TRANSITIONS: Readonly<Record<KeyState, Partial<Record<KeyEvent, KeyState>>>> = {
  Enabled: { enable: "Enabled", disable: "Disabled", scheduleDeletion: "PendingDeletion" },
  Disabled: { enable: "Enabled", disable: "Disabled", scheduleDeletion: "PendingDeletion" },
  PendingDeletion: { cancelDeletion: "Disabled" },
};

/** undefined where the key's state does not allow it: KMSInvalidStateException. */
export function nextState(state: KeyState, event: KeyEvent): KeyState | undefined {
  return TRANSITIONS[state][event];
}
