import assert from "node:assert/strict";
import { test } from "node:test";
import { frames, LineAssembler, longestLine } from "./log-lines.ts";

const stamp = "2026-11-22T21:44:57.269650975Z ";

function frame(stream: 1 | 2, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function record(text: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(stamp), Buffer.from(text)]);
}

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

test("frames come out whole however the bytes are cut", async () => {
  const bytes = Buffer.concat([frame(1, "one\n"), frame(2, ""), frame(1, "three, longer than a header\n")]);
  for (const size of [1, 3, 8, 11, bytes.length]) {
    const found = [];
    for await (const { stream, payload } of frames(chunks(bytes, size))) found.push([stream, payload.toString()]);
    assert.deepEqual(found, [
      ["stdout", "one\n"],
      ["stderr", ""],
      ["stdout", "three, longer than a header\n"],
    ]);
  }
});

test("a frame of an unknown kind is an error, not text", async () => {
  const broken = Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]);
  await assert.rejects(async () => {
    for await (const _ of frames(chunks(broken, 8))) assert.fail("no frame was expected");
  }, /unknown kind 9/);
});

test("records of a line are joined though the other stream writes between them", () => {
  const full = "x".repeat(16 * 1024);
  const lines = new LineAssembler();
  const found = [
    ...lines.add("stdout", record(full)),
    ...lines.add("stderr", record("whole\n")),
    ...lines.add("stdout", record("b c")),
    ...lines.add("stdout", record("\n")),
    ...lines.add("stdout", record(full)),
    ...lines.add("stdout", record("")),
    ...lines.add("stderr", record(full)),
    ...lines.end(),
  ];
  assert.deepEqual(
    found.map(({ stream, text, index }) => [stream, text, index]),
    [
      ["stderr", "whole", 0],
      ["stdout", `${full}b c`, 1],
      ["stdout", "", 2],
      ["stdout", full, 3],
      ["stderr", full, 4],
    ],
  );
  assert.equal(found[1]!.timestamp.toISOString(), "2026-11-22T21:44:57.269Z");
});

test("a character that two records share is not broken", () => {
  const euro = Buffer.from("€");
  const padding = Buffer.alloc(16 * 1024 - 1, "x");
  const lines = new LineAssembler();
  assert.deepEqual([...lines.add("stdout", record(Buffer.concat([padding, euro.subarray(0, 1)])))], []);
  const [line] = lines.add("stdout", record(euro.subarray(1)));
  assert.ok(line?.text === `${padding}€`);
});

test("a line of 256 KiB is one line; a longer one is split between characters", () => {
  const exact = new LineAssembler();
  assert.equal([...exact.add("stdout", record(`${"x".repeat(longestLine)}\n`))].length, 1);

  const text = `x${"€".repeat(longestLine / 2)}`;
  const split = [...new LineAssembler().add("stdout", record(`${text}\n`))].map((line) => line.text);
  assert.equal(split.length, 2);
  assert.equal(split.join(""), text);
});
