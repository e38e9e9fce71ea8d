import assert from "node:assert/strict";
import { it } from "node:test";
import { parsedTarget } from "./json-rpc.ts";

it("reads a target with and without the package that the aws CLI writes before it", () => {
  const expected = { service: "CodeStar_connections_20191201", operation: "GetConnection" };
  assert.deepEqual(parsedTarget("CodeStar_connections_20191201.GetConnection"), expected);
  assert.deepEqual(
    parsedTarget("com.amazonaws.codestar.connections.CodeStar_connections_20191201.GetConnection"),
    expected,
  );
  assert.deepEqual(parsedTarget("GetConnection"), { service: "", operation: "GetConnection" });
  assert.deepEqual(parsedTarget(""), { service: "", operation: "" });
});
