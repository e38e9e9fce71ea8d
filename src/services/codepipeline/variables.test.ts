import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resolvedConfiguration } from "./variables.ts";

const namespaces = { Source: { CommitMessage: 'a "b"\\' }, codepipeline: { PipelineExecutionId: "1" } };

describe("variables", () => {
  it("are put into values", () => {
    const configuration = {
      A: "x-#{codepipeline.PipelineExecutionId}-#{Source.CommitMessage}",
      B: "#{not a reference}",
    };
    assert.deepEqual(resolvedConfiguration(configuration, namespaces), { A: 'x-1-a "b"\\', B: "#{not a reference}" });
  });

  it("do not break JSON", () => {
    const configuration = { E: '[{"name":"M","value":"#{Source.CommitMessage}"}]' };
    const { E = "" } = resolvedConfiguration(configuration, namespaces);
    assert.deepEqual(JSON.parse(E), [{ name: "M", value: 'a "b"\\' }]);
  });

  it("must exist; what objects inherit does not count", () => {
    for (const reference of ["#{None.A}", "#{Source.None}", "#{Source.toString}", "#{constructor.name}"]) {
      assert.throws(() => resolvedConfiguration({ A: reference }, namespaces), { name: "ActionFailure" }, reference);
    }
  });
});
