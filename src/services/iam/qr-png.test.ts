import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import decodeQR from "qr/decode.js";
import { qrPng } from "./qr-png.ts";

/** What a PNG reader does with a one-bit greyscale image. */
function pixels(png: Buffer): { width: number; height: number; data: Uint8ClampedArray } {
  assert.equal(png.subarray(0, 8).toString("latin1"), "\x89PNG\r\n\x1a\n");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(body));
    chunks.set(body.subarray(0, 4).toString(), body.subarray(4));
    at += length + 12;
  }
  const [width, height] = [chunks.get("IHDR")!.readUInt32BE(0), chunks.get("IHDR")!.readUInt32BE(4)];
  const lines = inflateSync(chunks.get("IDAT")!);
  const stride = 1 + Math.ceil(width / 8);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const light = (lines[y * stride + 1 + (x >> 3)]! >> (7 - (x & 7))) & 1;
      data.fill(light * 255, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { width, height, data };
}

test("what the image says is read back", () => {
  const text = "otpauth://totp/phone@111122223333?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  assert.equal(decodeQR(pixels(qrPng(text))), text);
});
