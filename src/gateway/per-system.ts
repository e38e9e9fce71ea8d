import type { System } from "./context.ts";

/**
 * What each running system has of a thing that lives beside its tables: made when it is first asked for, gone with the
 * system. The second function is for tests, which put another in its place.
 */
export function perSystem<T extends object>(
  make: (system: System) => T,
): readonly [of: (system: System) => T, use: (system: System, instead: T) => void] {
  const made = new WeakMap<System, T>();
  return [
    (system) => {
      const thing = made.get(system) ?? make(system);
      made.set(system, thing);
      return thing;
    },
    (system, instead) => void made.set(system, instead),
  ];
}
