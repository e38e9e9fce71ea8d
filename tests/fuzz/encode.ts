/** Any tree of values as a request of an operation's protocol: also one that is not of the operation's types. */
import type { NormalizedSchema } from "@smithy/core/schema";
import { inputBindings } from "#gateway/protocols/rest-bindings.ts";
import { escapeXml } from "#gateway/protocols/xml.ts";
import type { OperationModel, Service } from "#gateway/service.ts";
import { Raw } from "./random.ts";

export interface Encoded {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Tree = Record<string, unknown>;

export function encoded(service: Service, model: OperationModel, input: unknown): Encoded {
  if (service.protocol === "restXml") return rest(model, isTree(input) ? input : {});
  if (service.protocol !== "awsQuery") return json(service, model, input);
  const form = new URLSearchParams({ Action: model.name, Version: service.version });
  if (!model.input.isUnitSchema() && isTree(input)) flatten(form, "", model.input, input);
  return post({ "content-type": "application/x-www-form-urlencoded" }, form.toString());
}

function post(headers: Record<string, string>, body: string): Encoded {
  return { method: "POST", path: "/", query: "", headers, body };
}

function json(service: Service, model: OperationModel, input: unknown): Encoded {
  const version = service.protocol === "awsJson1_0" ? "1.0" : "1.1";
  const target = `${service.target}.${model.name}`;
  return post({ "content-type": `application/x-amz-json-${version}`, "x-amz-target": target }, jsonText(input));
}

export function jsonText(value: unknown): string {
  if (value instanceof Raw) return value.json;
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("base64"));
  if (value instanceof Date) return String(value.getTime() / 1000);
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  if (!isTree(value)) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join()}}`;
}

function flatten(form: URLSearchParams, prefix: string, schema: NormalizedSchema | undefined, value: unknown): void {
  const under = (name: string) => (prefix ? `${prefix}.${name}` : name);
  const traits = (schema?.getMergedTraits() ?? {}) as { xmlFlattened?: 1 };
  if (Array.isArray(value)) {
    const item = schema?.isListSchema() ? schema.getValueSchema() : undefined;
    const name = (item?.getMergedTraits() as { xmlName?: string } | undefined)?.xmlName ?? "member";
    const base = traits.xmlFlattened ? prefix : under(name);
    for (const [index, one] of value.entries()) flatten(form, `${base}.${index + 1}`, item, one);
  } else if (isTree(value)) {
    const entries = Object.entries(value);
    if (schema?.isMapSchema()) {
      for (const [index, [key, item]] of entries.entries()) {
        const entry = traits.xmlFlattened ? `${prefix}.${index + 1}` : `${prefix}.entry.${index + 1}`;
        form.append(`${entry}.key`, key);
        flatten(form, `${entry}.value`, schema.getValueSchema(), item);
      }
      return;
    }
    for (const [name, item] of entries) {
      const member = memberOf(schema, name);
      flatten(form, under((member?.getMergedTraits() as { xmlName?: string })?.xmlName ?? name), member, item);
    }
  } else if (value !== undefined && value !== null) {
    form.append(prefix, plain(value));
  }
}

function rest(model: OperationModel, input: Tree): Encoded {
  const [method, uri] = model.http!;
  const { bound, payload, body } = inputBindings(model);
  const [pattern = "", literal = ""] = uri.split("?");
  const query = new URLSearchParams(literal);
  query.delete("x-id");
  const headers: Record<string, string> = {};
  let path = pattern;
  for (const { name, traits } of bound) {
    const value = input[name];
    if (traits.httpLabel) {
      const text = encodeURIComponent(wellFormed(plain(value ?? "x"))) || "x";
      if (pattern.includes(`{${name}`)) path = path.replace(new RegExp(`\\{${name}\\+?\\}`), () => text);
      else path = `/${text}${path}`;
    } else if (value === undefined || value === null) {
    } else if (traits.httpQuery) query.append(traits.httpQuery, plain(value));
    else if (traits.httpHeader === "Content-Length") {
      // Node's client says how long the body is.
    } else if (traits.httpHeader) headers[traits.httpHeader.toLowerCase()] = headerText(value);
    else if (traits.httpPrefixHeaders && isTree(value)) {
      for (const [key, item] of Object.entries(value)) {
        const header = (traits.httpPrefixHeaders + key).toLowerCase();
        if (/^[a-z0-9-]+$/.test(header)) headers[header] = headerText(item);
      }
    }
  }
  let text = "";
  if (payload && input[payload.name] !== undefined) {
    const value = input[payload.name];
    text = payload.schema.isStructSchema() ? xml(payload.name, payload.schema, value) : plain(value);
  } else if (body) text = xml(model.input.getName() ?? "Input", body, input);
  return {
    method,
    path: path === "" ? "/" : path,
    query: query.toString().replaceAll("+", "%20"),
    headers,
    body: text,
  };
}

function xml(name: string, schema: NormalizedSchema | undefined, value: unknown): string {
  const element = (schema?.getMergedTraits() as { xmlName?: string })?.xmlName ?? name;
  if (Array.isArray(value)) {
    const item = schema?.isListSchema() ? schema.getValueSchema() : undefined;
    const flat = (schema?.getMergedTraits() as { xmlFlattened?: 1 })?.xmlFlattened;
    const items = value.map((one) => xml(flat ? element : "member", item, one)).join("");
    return flat ? items : `<${element}>${items}</${element}>`;
  }
  if (!isTree(value)) return `<${element}>${escapeXml(wellFormed(plain(value ?? "")))}</${element}>`;
  const members = Object.entries(value).filter(([key]) => /^[A-Za-z_][\w.-]*$/.test(key));
  return `<${element}>${members.map(([key, item]) => xml(key, memberOf(schema, key), item)).join("")}</${element}>`;
}

function memberOf(schema: NormalizedSchema | undefined, name: string): NormalizedSchema | undefined {
  if (!schema?.isStructSchema()) return undefined;
  for (const [known, member] of schema.structIterator()) if (known === name) return member;
  return undefined;
}

function plain(value: unknown): string {
  if (value instanceof Raw) return value.text;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What Node's client would not send at all is left out. */
function headerText(value: unknown): string {
  return plain(value).replace(/[^\t\x20-\x7e]/g, "") || "x";
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !(value instanceof Raw) && !(value instanceof Uint8Array);
}
