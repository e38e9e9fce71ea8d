/** awsQuery: form in, XML out. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
import { XmlCodec } from "@aws-sdk/core/protocols";
import { FromStringShapeDeserializer } from "@smithy/core/protocols";
import type { NormalizedSchema } from "@smithy/core/schema";
import { WireError } from "../errors.ts";
import { narrowedStructure, type OperationModel, type Service } from "../service.ts";
import type { Protocol, WireRequest } from "./protocol.ts";
import { escapeXml, XML_DECLARATION } from "./xml.ts";

/** 5: ISO 8601 date-time. */
const SETTINGS = {
  timestampFormat: { useTrait: true, default: 5 as const },
  httpBindings: false,
  xmlNamespace: "",
  serviceNamespace: "",
};
/** "A.B.member.1.C" is split into this tree before it is read by the schema. */
interface FormNode {
  value?: string;
  children?: Map<string, FormNode>;
}
const MAX_PARAMETERS = 20_000;
const MAX_DEPTH = 64;

export function queryProtocol(service: Service): Protocol {
  const serializer = new XmlCodec(SETTINGS).createSerializer();
  const fromString = new FromStringShapeDeserializer(SETTINGS);
  const results = new Map<string, NormalizedSchema>();

  /** The output inside its `<OperationResult>` element. */
  function resultSchema(model: OperationModel): NormalizedSchema {
    let schema = results.get(model.name);
    if (!schema) {
      schema = narrowedStructure(model.output, `${model.name}Result`, () => true);
      results.set(model.name, schema);
    }
    return schema;
  }

  function read(schema: NormalizedSchema, node: FormNode): unknown {
    requireForm(schema, node);
    if (schema.isStructSchema()) {
      const structure: Record<string, unknown> = {};
      for (const [name, member] of schema.structIterator()) {
        const child = node.children?.get(traitsOf(member).xmlName ?? name);
        const value = child && read(member, child);
        if (value !== undefined) structure[name] = value;
      }
      return structure;
    }
    if (schema.isListSchema()) {
      const member = schema.getValueSchema();
      const items = traitsOf(schema).xmlFlattened ? node : node.children?.get(traitsOf(member).xmlName ?? "member");
      return indexed(items).map((item) => read(member, item));
    }
    if (schema.isMapSchema()) {
      const value = schema.getValueSchema();
      const keyName = traitsOf(schema.getKeySchema()).xmlName ?? "key";
      const valueName = traitsOf(value).xmlName ?? "value";
      const entries = indexed(traitsOf(schema).xmlFlattened ? node : node.children?.get("entry"));
      return Object.fromEntries(
        entries.map((entry) => [
          entry.children?.get(keyName)?.value ?? "",
          read(value, entry.children?.get(valueName) ?? {}),
        ]),
      );
    }
    return node.value === undefined ? undefined : fromString.read(schema, node.value);
  }

  return {
    route(request) {
      const model = service.operations.get(new URLSearchParams(form(request)).get("Action") ?? "");
      return model && { model, labels: {} };
    },
    streamsInput: () => false,
    parse({ model }, request) {
      if (model.input.isUnitSchema()) return {};
      const root = formTree(form(request));
      try {
        return read(model.input, root) as Record<string, unknown>;
      } catch (error) {
        throw new WireError("MalformedInput", 400, (error as Error).message);
      }
    },
    serialize(model, output, requestId) {
      let result = "";
      if (!model.output.isUnitSchema()) {
        serializer.write(resultSchema(model), output ?? {});
        result = serializer.flush() as string;
      }
      const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
      const body = `${XML_DECLARATION}<${model.name}Response xmlns="${service.xmlNamespace}">${result}${metadata}</${model.name}Response>`;
      return { status: 200, headers: { "content-type": "text/xml" }, body };
    },
    error(view, requestId) {
      const detail = `<Type>${view.fault}</Type><Code>${escapeXml(view.code)}</Code><Message>${escapeXml(view.message)}</Message>`;
      const body = `${XML_DECLARATION}<ErrorResponse xmlns="${service.xmlNamespace}"><Error>${detail}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
      return { status: view.status, headers: { "content-type": "text/xml" }, body };
    },
  };
}

/** A text where members should come, or the reverse. An empty text is what SDKs send for an empty list. */
function requireForm(schema: NormalizedSchema, { value, children }: FormNode): void {
  const complex = schema.isStructSchema() || schema.isListSchema() || schema.isMapSchema();
  if (!complex && value === undefined && children) {
    throw new WireError("MalformedInput", 400, "Start of structure or map found where not expected.");
  }
  if (complex && value && !children) {
    const kind = schema.isListSchema() ? "list" : "complex";
    throw new WireError("MalformedInput", 400, `Unexpected ${kind} element termination`);
  }
}

/** The parameters are the body of a POST or the query of a GET. */
function form(request: WireRequest): string {
  return request.body?.length ? Buffer.from(request.body).toString("utf8") : request.rawQuery;
}

function formTree(text: string): FormNode {
  const root: FormNode = {};
  let count = 0;
  for (const [key, value] of new URLSearchParams(text)) {
    if (++count > MAX_PARAMETERS) throw new WireError("MalformedInput", 400, "The request has too many parameters");
    const parts = key.split(".");
    if (parts.length > MAX_DEPTH)
      throw new WireError("MalformedInput", 400, `Parameter ${key.slice(0, 80)} is nested too deeply`);
    let node = root;
    for (const part of parts) {
      node.children ??= new Map();
      let next = node.children.get(part);
      if (!next) {
        next = {};
        node.children.set(part, next);
      }
      node = next;
    }
    node.value = value;
  }
  return root;
}

function indexed(node: FormNode | undefined): FormNode[] {
  return [...(node?.children ?? [])]
    .filter(([key]) => /^\d+$/.test(key))
    .sort(([left], [right]) => Number(left) - Number(right))
    .map(([, child]) => child);
}

function traitsOf(schema: NormalizedSchema): { xmlName?: string; xmlFlattened?: 0 | 1 } {
  return schema.getMergedTraits() as { xmlName?: string; xmlFlattened?: 0 | 1 };
}
