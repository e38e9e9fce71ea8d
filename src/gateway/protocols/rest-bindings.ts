/** Which members of a structure travel in the URI, query, headers or payload, and which in the body. */
import type { NormalizedSchema } from "@smithy/core/schema";
import { narrowedStructure, type OperationModel } from "../service.ts";

export interface BindingTraits {
  readonly httpLabel?: 1;
  readonly httpQuery?: string;
  readonly httpQueryParams?: 1;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpPayload?: 1;
  readonly httpResponseCode?: 1;
}

export interface Binding {
  readonly name: string;
  readonly schema: NormalizedSchema;
  readonly traits: BindingTraits;
}

export interface Bindings {
  readonly bound: readonly Binding[];
  /** The member that is the whole body. */
  readonly payload: Binding | undefined;
  /** The unbound members as a structure of their own; undefined where there are none. */
  readonly body: NormalizedSchema | undefined;
}

export const inputBindings = memoized((model) => bindingsOf(model.input));
export const outputBindings = memoized((model) => bindingsOf(model.output));

function bindingsOf(schema: NormalizedSchema): Bindings {
  const bound: Binding[] = [];
  let payload: Binding | undefined;
  let unbound = false;
  if (!schema.isUnitSchema()) {
    for (const [name, member] of schema.structIterator()) {
      const binding = { name, schema: member, traits: traitsOf(member) };
      if (binding.traits.httpPayload) payload = binding;
      else if (isBody(binding.traits)) unbound = true;
      else bound.push(binding);
    }
  }
  const body = unbound ? narrowedStructure(schema, undefined, (member) => isBody(traitsOf(member))) : undefined;
  return { bound, payload, body };
}

function isBody(traits: BindingTraits): boolean {
  return !(
    traits.httpLabel ||
    traits.httpQuery ||
    traits.httpQueryParams ||
    traits.httpHeader ||
    traits.httpPrefixHeaders !== undefined ||
    traits.httpPayload ||
    traits.httpResponseCode
  );
}

function traitsOf(schema: NormalizedSchema): BindingTraits {
  return schema.getMergedTraits() as BindingTraits;
}

function memoized(make: (model: OperationModel) => Bindings): (model: OperationModel) => Bindings {
  const known = new WeakMap<OperationModel, Bindings>();
  return (model) => {
    let bindings = known.get(model);
    if (!bindings) {
      bindings = make(model);
      known.set(model, bindings);
    }
    return bindings;
  };
}
