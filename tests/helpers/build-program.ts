/** Builds on the fake engine: the test plays the program that the buildspec would have been compiled to. */
import type { FakeContainer } from "#engines/fake/fake-container.ts";
import { FakeEngine } from "#engines/fake/fake-engine.ts";
import { NONCE_FILE, PROGRAM_FILE } from "#services/codebuild/runner/build-container.ts";
import { imageReference } from "#setup/image-recipe.ts";
import { codebuildSystem, makeRole } from "./codebuild-system.ts";
import type { TestSystem, TestSystemOptions } from "./test-system.ts";

/** What the compiled program would report. */
export class Program {
  readonly container: FakeContainer;
  readonly #nonce: string;

  constructor(container: FakeContainer) {
    this.container = container;
    this.#nonce = container.files.get(NONCE_FILE)!.toString().trim();
  }

  get script(): string {
    return this.container.files.get(PROGRAM_FILE)!.toString();
  }

  emit(event: string, fields: object = {}): void {
    const time = new Date().toISOString().replaceAll("-", "/").replace("T", " ").replace("Z", "000");
    this.container.log(`${this.#nonce} ${JSON.stringify({ event, time, ...fields })}`, "stderr");
  }

  phase(phase: string, status = "SUCCEEDED"): void {
    this.emit("phase-started", { phase });
    const command = Buffer.from("false").toString("hex");
    this.emit("phase-ended", { phase, status, exitStatus: status === "FAILED" ? 1 : 0, command });
  }

  end(status = "SUCCEEDED", uploadArtifacts = true): void {
    this.emit("build-ended", { status, uploadArtifacts });
    this.container.exit(status === "SUCCEEDED" ? 0 : 1);
  }

  run(): void {
    for (const phase of ["INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD"]) this.phase(phase);
    this.end();
  }
}

/** Holds the standard image, whose containers do this; without a behaviour the test plays the program. */
export function anEngine(behaviour?: (program: Program) => void): FakeEngine {
  const engine = new FakeEngine();
  const { id } = engine.addImage(imageReference("standard"));
  if (behaviour) engine.behave(id, (container) => behaviour(new Program(container)));
  return engine;
}

export async function aSystem(
  engine: FakeEngine,
  actions?: string[],
  config?: TestSystemOptions["config"],
): Promise<TestSystem> {
  const system = await codebuildSystem({ engine, ...(config && { config }) });
  await makeRole(system, actions);
  return system;
}

export const groupOf = (id: string) => `build-${id.split(":")[1]}`;
