/** awsJson1_0 and awsJson1_1. https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
import { JsonShapeDeserializer2, JsonShapeSerializer2 } from "@smithy/core/protocols";
import type { DocumentType } from "@smithy/types";
import { WireError } from "../errors.ts";
import type { Service } from "../service.ts";
import type { Protocol } from "./protocol.ts";

/** The two names in `X-Amz-Target: CodeBuild_20161006.StartBuild`. */
export interface Target {
  readonly service: string;
  readonly operation: string;
}

/**
 * Some clients write the service's name with its package, others without: the aws CLI sends
 * `com.amazonaws.codestar.connections.CodeStar_connections_20191201.GetConnection` where the JS SDK has the last two parts.
 */
export function parsedTarget(header: string): Target {
  const [operation = "", service = ""] = header.split(".").reverse();
  return { service, operation };
}

type JsonObject = { [member: string]: DocumentType };

/** 7: epoch seconds, in @smithy/types' SchemaRef settings. */
const SETTINGS = { timestampFormat: { useTrait: true, default: 7 as const }, jsonName: false };

export function jsonRpcProtocol(service: Service): Protocol {
  const contentType = service.protocol === "awsJson1_0" ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1";
  const serializer = new JsonShapeSerializer2(SETTINGS);
  const deserializer = new JsonShapeDeserializer2(SETTINGS);

  return {
    route(request) {
      const target = parsedTarget(request.headers["x-amz-target"] ?? "");
      if (target.service !== service.target) return undefined;
      const model = service.operations.get(target.operation);
      return model && { model, labels: {} };
    },
    streamsInput: () => false,
    parse({ model }, request) {
      const document = parseDocument(request.body);
      // With __type present the deserialiser would copy members that the model does not have.
      delete document.__type;
      if (model.input.isUnitSchema()) return {};
      try {
        return deserializer.readObject(model.input, document) as Record<string, unknown>;
      } catch (error) {
        throw new WireError("SerializationException", 400, (error as Error).message);
      }
    },
    serialize(model, output) {
      let body: string | Uint8Array = "{}";
      if (!model.output.isUnitSchema()) {
        serializer.write(model.output, output ?? {});
        body = serializer.flush();
      }
      return { status: 200, headers: { "content-type": contentType }, body };
    },
    error(view) {
      let members: Record<string, unknown> = { ...view.members };
      if (view.schema) {
        serializer.write(view.schema, view.members);
        members = JSON.parse(Buffer.from(serializer.flush() as Uint8Array).toString()) as Record<string, unknown>;
      }
      const body = JSON.stringify({ __type: view.shape, message: view.message, ...members });
      return { status: view.status, headers: { "content-type": contentType, "x-amzn-errortype": view.shape }, body };
    },
  };
}

function parseDocument(body: Uint8Array | undefined): JsonObject {
  let document: unknown = {};
  if (body?.length) {
    try {
      document = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
    } catch (error) {
      throw new WireError("SerializationException", 400, `The request body is not JSON: ${(error as Error).message}`);
    }
  }
  if (document === null || typeof document !== "object" || Array.isArray(document)) {
    throw new WireError("SerializationException", 400, "The request body must be a JSON object");
  }
  return document as JsonObject;
}
