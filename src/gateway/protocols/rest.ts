/** restXml and restJson1. https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html */
import { XmlCodec } from "@aws-sdk/core/protocols";
import {
  FromStringShapeDeserializer,
  JsonShapeDeserializer2,
  JsonShapeSerializer2,
  ToStringShapeSerializer,
} from "@smithy/core/protocols";
import type { NormalizedSchema } from "@smithy/core/schema";
import { type ErrorView, WireError } from "../errors.ts";
import type { Service } from "../service.ts";
import type { Protocol, WireRequest, WireResponse } from "./protocol.ts";
import { type Bindings, inputBindings, outputBindings } from "./rest-bindings.ts";
import { restRoutes } from "./rest-routes.ts";
import { escapeXml, XML_DECLARATION } from "./xml.ts";

interface BodyCodec {
  readonly contentType: string;
  readonly malformed: string;
  read(schema: NormalizedSchema, body: Uint8Array): unknown;
  write(schema: NormalizedSchema, value: unknown): string | Uint8Array;
}

export function restProtocol(service: Service): Protocol {
  const xml = service.protocol === "restXml";
  const settings = {
    // 5: ISO 8601 date-time, 7: epoch seconds
    timestampFormat: { useTrait: true, default: (xml ? 5 : 7) as 5 | 7 },
    httpBindings: true,
    jsonName: true,
    xmlNamespace: service.xmlNamespace,
    serviceNamespace: service.namespace,
  };
  const codec = xml ? xmlBody(settings) : jsonBody(settings);
  const fromString = new FromStringShapeDeserializer(settings);
  const toText = new ToStringShapeSerializer(settings);

  function readBound({ bound }: Bindings, labels: Readonly<Record<string, string>>, request: WireRequest) {
    const input: Record<string, unknown> = {};
    const query = new URLSearchParams(request.rawQuery);
    for (const { name, schema, traits } of bound) {
      if (traits.httpLabel) {
        if (labels[name] !== undefined) input[name] = fromString.read(schema, labels[name]);
      } else if (traits.httpQuery) {
        if (!query.has(traits.httpQuery)) continue;
        const values = query.getAll(traits.httpQuery);
        input[name] = schema.isListSchema()
          ? values.map((value) => fromString.read(schema.getValueSchema(), value))
          : fromString.read(schema, values[0]!);
      } else if (traits.httpHeader) {
        const value = request.headers[traits.httpHeader.toLowerCase()];
        if (value !== undefined) input[name] = fromString.read(schema, value);
      } else if (traits.httpPrefixHeaders !== undefined) {
        const prefix = traits.httpPrefixHeaders.toLowerCase();
        const matching = Object.entries(request.headers).filter(([header]) => header.startsWith(prefix));
        if (matching.length > 0) {
          input[name] = Object.fromEntries(matching.map(([header, value]) => [header.slice(prefix.length), value]));
        }
      } else if (traits.httpQueryParams) {
        const modelled = new Set(bound.flatMap((binding) => binding.traits.httpQuery ?? []));
        input[name] = Object.fromEntries([...query].filter(([key]) => !modelled.has(key)));
      }
    }
    return input;
  }

  // Made with the first request: routes prefer what is built, which is known once the service is loaded.
  let routes: ReturnType<typeof restRoutes> | undefined;
  return {
    route(request) {
      routes ??= restRoutes(service);
      return routes(request);
    },
    streamsInput: (model) => inputBindings(model).payload?.schema.isStreaming() ?? false,
    parse({ model, labels }, request) {
      const bindings = inputBindings(model);
      const { payload, body } = bindings;
      try {
        const input = readBound(bindings, labels, request);
        if (body && request.body?.length) Object.assign(input, codec.read(body, request.body));
        if (payload?.schema.isStreaming()) input[payload.name] = request.stream;
        else if (payload && request.body?.length) input[payload.name] = readPayload(payload.schema, request.body);
        return input;
      } catch (error) {
        throw new WireError(codec.malformed, 400, malformedMessage(service, error));
      }
    },
    serialize(model, output) {
      const { bound, payload, body } = outputBindings(model);
      const values = (output ?? {}) as Record<string, unknown>;
      const response: WireResponse = { status: model.http![2], headers: {}, body: undefined };
      for (const { name, schema, traits } of bound) {
        const value = values[name];
        if (value == null) continue;
        if (traits.httpResponseCode) response.status = value as number;
        else if (traits.httpPrefixHeaders !== undefined) {
          for (const [key, item] of Object.entries(value)) {
            response.headers[(traits.httpPrefixHeaders + key).toLowerCase()] = String(item);
          }
        } else if (traits.httpHeader) {
          toText.write(schema, value);
          response.headers[traits.httpHeader.toLowerCase()] = toText.flush() as string;
        }
      }
      // The model has one status for an operation; a part of an object is 206.
      if (service.name === "s3" && values.ContentRange !== undefined) response.status = 206;
      if (service.name === "s3" && model.name === "GetBucketLocation") {
        // The model's s3UnwrappedXmlOutput trait is not part of the SDK's schemas.
        response.headers["content-type"] = codec.contentType;
        response.body = `${XML_DECLARATION}<LocationConstraint xmlns="${service.xmlNamespace}">${escapeXml(String(values.LocationConstraint ?? ""))}</LocationConstraint>`;
      } else if (payload) {
        const value = values[payload.name];
        const structured = payload.schema.isStructSchema() || payload.schema.isDocumentSchema();
        if (value != null && structured) writeBody(response, payload.schema, value);
        else response.body = value as WireResponse["body"];
      } else if (body) writeBody(response, body, values);
      else if (!xml && response.status !== 204 && !model.output.isUnitSchema()) {
        response.headers["content-type"] = codec.contentType;
        response.body = "{}";
      }
      return response;
    },
    error: (view, requestId, request) => (xml ? xmlError(service, view, requestId, request) : jsonError(view)),
  };

  function readPayload(schema: NormalizedSchema, body: Uint8Array): unknown {
    if (schema.isBlobSchema()) return body;
    if (schema.isStringSchema()) return Buffer.from(body).toString();
    return codec.read(schema, body);
  }

  function writeBody(response: WireResponse, schema: NormalizedSchema, value: unknown): void {
    response.headers["content-type"] = codec.contentType;
    response.body = codec.write(schema, value);
  }

  function jsonError(view: ErrorView): WireResponse {
    const body = view.schema
      ? codec.write(view.schema, view.members)
      : JSON.stringify({ message: view.message, ...view.members });
    return {
      status: view.status,
      headers: { "content-type": codec.contentType, "x-amzn-errortype": view.shape },
      body,
    };
  }
}

function xmlBody(settings: ConstructorParameters<typeof XmlCodec>[0]): BodyCodec {
  const codec = new XmlCodec(settings);
  const deserializer = codec.createDeserializer();
  const serializer = codec.createSerializer();
  return {
    contentType: "application/xml",
    malformed: "MalformedXML",
    read(schema, body) {
      // Entities are defined nowhere else: without them nothing grows, and no file or address is fetched.
      if (Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes("<!DOCTYPE")) {
        throw new Error("A document type declaration is not allowed");
      }
      return deserializer.read(schema, body);
    },
    write(schema, value) {
      serializer.write(schema, value);
      return XML_DECLARATION + (serializer.flush() as string);
    },
  };
}

function jsonBody(settings: ConstructorParameters<typeof JsonShapeSerializer2>[0]): BodyCodec {
  const deserializer = new JsonShapeDeserializer2(settings);
  const serializer = new JsonShapeSerializer2(settings);
  return {
    contentType: "application/json",
    malformed: "SerializationException",
    read: (schema, body) => deserializer.readObject(schema, JSON.parse(Buffer.from(body).toString("utf8"))),
    write(schema, value) {
      serializer.write(schema, value);
      return serializer.flush();
    },
  };
}

function xmlError(service: Service, view: ErrorView, requestId: string, request: WireRequest): WireResponse {
  const members = Object.entries(view.members)
    .filter(([name, value]) => value != null && !/^message$/i.test(name))
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join("");
  const detail = `<Code>${escapeXml(view.code)}</Code><Message>${escapeXml(view.message)}</Message>${members}`;
  const body =
    service.name === "s3"
      ? `<Error>${detail}<Resource>${escapeXml(request.path)}</Resource><RequestId>${requestId}</RequestId></Error>`
      : `<ErrorResponse xmlns="${service.xmlNamespace}"><Error><Type>${view.fault}</Type>${detail}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
  if (view.status === 304) return { status: 304, headers: { ...view.headers }, body: undefined };
  const headers = { ...view.headers, "content-type": "application/xml" };
  return { status: view.status, headers, body: XML_DECLARATION + body };
}

/** S3's own sentence for XML it cannot read; elsewhere the parser's. */
function malformedMessage(service: Service, error: unknown): string {
  return service.name === "s3"
    ? "The XML you provided was not well-formed or did not validate against our published schema"
    : (error as Error).message;
}
