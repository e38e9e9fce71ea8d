/** A QR code as a PNG image: what an authenticator app scans. https://www.w3.org/TR/png-3/ */
import { crc32, deflateSync } from "node:zlib";
import { encodeQR } from "qr";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Pixels a module, and modules around the code: the quiet zone that ISO/IEC 18004 wants. */
const SCALE = 4;
const BORDER = 4;

export function qrPng(text: string): Buffer {
  const modules = encodeQR(text, "raw", { ecc: "medium", border: BORDER, scale: SCALE });
  const size = modules.length;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([1, 0, 0, 0, 0], 8); // one bit a pixel, greyscale, the only compression and filter there are, not interlaced
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(modules.map(scanline)))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Filter type 0, then eight pixels a byte; light is 1. */
function scanline(row: readonly boolean[]): Buffer {
  const line = Buffer.alloc(1 + Math.ceil(row.length / 8));
  for (const [index, dark] of row.entries()) {
    if (!dark) line[1 + (index >> 3)]! |= 0x80 >> (index & 7);
  }
  return line;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
