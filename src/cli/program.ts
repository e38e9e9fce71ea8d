import { fileURLToPath } from "node:url";

/** Slipway's own command, wherever Slipway starts itself: it knows what Node is to be started with. */
export const PROGRAM = fileURLToPath(new URL("../../bin/slipway", import.meta.url));
