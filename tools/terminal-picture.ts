/**
 * A terminal's text as a picture: `npm run --silent demo -- --exit | node tools/terminal-picture.ts > docs/demo.svg`.
 * Access keys are left out, lines are cut at the terminal's width.
 */
import { text } from "node:stream/consumers";

const COLUMNS = 92;
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 19;
const MARGIN = 18;
const COLOURS: Readonly<Record<string, string>> = { "✔": "#7ee787", "✖": "#ff7b72", $: "#79c0ff" };

const lines = `$ npm run demo\n${await text(process.stdin)}`
  .trimEnd()
  .split("\n")
  .filter((line) => !/AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/.test(line))
  .map((line) => (line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line));

const width = COLUMNS * CHARACTER_WIDTH + 2 * MARGIN;
const height = lines.length * LINE_HEIGHT + 2 * MARGIN;

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>The terminal of npm run demo</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">
${lines.map(toText).join("\n")}
</g>
</svg>
`);

function toText(line: string, index: number): string {
  const y = MARGIN + (index + 0.8) * LINE_HEIGHT;
  const [mark = ""] = line;
  const colour = COLOURS[mark];
  const shown = colour ? `<tspan fill="${colour}">${mark}</tspan>${escaped(line.slice(mark.length))}` : escaped(line);
  return `<text x="${MARGIN}" y="${y.toFixed(1)}">${shown}</text>`;
}

function escaped(part: string): string {
  return part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
