import assert from "node:assert/strict";
import { it } from "node:test";
import { escapeXml } from "./xml.ts";

it("escapes what is markup, and replaces what XML cannot say", () => {
  assert.equal(escapeXml(`a<b> & "c" 'd'`), "a&#60;b&#62; &#38; &#34;c&#34; &#39;d&#39;");
  assert.equal(escapeXml("a\0b\u0001c\u001bd\ufffee\uffff"), "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd");
  assert.equal(escapeXml("half \ud83d of a pair"), "half \ufffd of a pair");
  assert.equal(escapeXml("\tline\r\nß€ 😀\u007f"), "\tline\r\nß€ 😀\u007f");
});
