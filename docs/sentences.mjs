// ./dev lint: no sentence above 35 words and no paragraph above six sentences in README.md, CONTRIBUTING.md and the pages of docs.
// Code, tables, headings and generated parts do not count; neither do decision records (docs/adr) and lab notes (docs/lab).
// Usage: node docs/sentences.mjs [FILE ...]
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..");
const markdownIt = createRequire(join(root, "deploy/lint/package.json"))("markdown-it");

export const limits = { words: 35, sentences: 6 };

const abbreviations = /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|no)\.$/i;

// A sentence ends with . ! ? or …, with brackets and quotes behind them, before a space and something that can begin one.
const end = /[.!?…][)"'”’*]*(?=\s+[("'“‘*]*[\p{Lu}\p{N}`])/gu;

/** The sentences of a text, each with the line that it begins in (0 is the first). */
export function sentencesOf(text) {
  const found = [];
  let start = 0;
  const take = (to) => {
    const part = text.slice(start, to);
    const lead = part.length - part.trimStart().length;
    if (part.trim() !== "") found.push({ text: part.trim(), line: text.slice(0, start + lead).split("\n").length - 1 });
    start = to;
  };
  for (const match of text.matchAll(end)) {
    const to = match.index + match[0].length;
    if (!abbreviations.test(text.slice(start, to))) take(to);
  }
  take(text.length);
  return found;
}

/** What is read as a word: code counts as one, signs alone do not count. */
export const wordsOf = (sentence) =>
  sentence
    .replace(/`[^`]*`/g, "`x`")
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));

// A paragraph as it is read: links by their text, code as it stands, no pictures and no HTML.
function readable(inline) {
  let text = "";
  for (const token of inline.children) {
    if (token.type === "text") text += token.content;
    else if (token.type === "code_inline") text += `\`${token.content.replaceAll("`", "'")}\``;
    else if (token.type === "softbreak" || token.type === "hardbreak") text += "\n";
  }
  return text;
}

// Lines of parts that a command writes: from a comment "generated: …" or "…: written by …" to the comment that ends them.
function generatedLines(source) {
  let inside = false;
  return source.split("\n").map((line) => {
    if (/^<!-- (generated:|.*: written by )/.test(line)) inside = true;
    else if (/^<!-- (\/generated|.* end) -->/.test(line)) inside = false;
    return inside;
  });
}

/** What is wrong with a page, in lines such as "docs/flow.md:12: 41 words in a sentence, limit 35: …". */
export function check(source, name) {
  const problems = [];
  const generated = generatedLines(source);
  let tables = 0;
  let headings = 0;
  for (const token of markdownIt("commonmark").enable("table").parse(source, {})) {
    if (token.type === "table_open") tables++;
    else if (token.type === "table_close") tables--;
    else if (token.type === "heading_open") headings++;
    else if (token.type === "heading_close") headings--;
    if (token.type !== "inline" || tables > 0 || headings > 0 || generated[token.map[0]]) continue;
    const sentences = sentencesOf(readable(token));
    const first = token.map[0] + 1;
    for (const { text, line } of sentences) {
      const words = wordsOf(text).length;
      if (words > limits.words)
        problems.push(`${name}:${first + line}: ${words} words in a sentence, limit ${limits.words}: ${text.slice(0, 60).replaceAll("\n", " ")} …`);
    }
    if (sentences.length > limits.sentences)
      problems.push(`${name}:${first}: ${sentences.length} sentences in a paragraph, limit ${limits.sentences}: ${sentences[0].text.slice(0, 60).replaceAll("\n", " ")} …`);
  }
  return problems;
}

function pages() {
  const ofDocs = readdirSync(here, { recursive: true })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".md") && !name.startsWith("docs/adr/") && !name.startsWith("docs/lab/"));
  return ["README.md", "CONTRIBUTING.md", ...ofDocs.sort()];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2).map((path) => relative(root, path));
  const problems = (named.length > 0 ? named : pages()).flatMap((name) => check(readFileSync(join(root, name), "utf8"), name));
  if (problems.length > 0) {
    console.error(problems.join("\n"));
    process.exit(1);
  }
}
