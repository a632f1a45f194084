// node --test docs/sentences.test.mjs: the check of sentences finds what it is for, and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { check, limits, sentencesOf, wordsOf } from "./sentences.mjs";

const words = (count) => `${Array(count).fill("word").join(" ")}.`;

test("a long sentence is found in its line, with its words and the limit", () => {
  const page = `# Title\n\nShort one.\nAnother ${words(limits.words)}\n`;
  assert.deepEqual(check(page, "a.md").length, 1);
  assert.match(check(page, "a.md")[0], /^a\.md:4: 36 words in a sentence, limit 35: Another word/);
});

test("a sentence of the limit is fine", () => assert.deepEqual(check(words(limits.words), "a.md"), []));

test("a long paragraph is found, in a list item too", () => {
  const page = `- ${Array(limits.sentences + 1).fill("One more.").join(" ")}\n`;
  assert.match(check(page, "a.md")[0], /^a\.md:1: 7 sentences in a paragraph, limit 6: One more\./);
});

test("code, tables, headings and generated parts do not count", () => {
  const long = words(limits.words + 1);
  const page = `# ${long}\n\n\`\`\`text\n${long}\n\`\`\`\n\n| a |\n|---|\n| ${long} |\n\n<!-- generated: x; ./dev docs -->\n\n${long}\n\n<!-- /generated -->\n`;
  assert.deepEqual(check(page, "a.md"), []);
  assert.equal(check(`${page}\n${long}\n`, "a.md").length, 1);
});

test("sentences end where a reader ends them", () => {
  assert.deepEqual(
    sentencesOf("Version 8.5 of e.g. MassTransit (free). `./dev up` starts it! Is it up? See a.md: yes…").map((s) => s.text),
    ["Version 8.5 of e.g. MassTransit (free).", "`./dev up` starts it!", "Is it up?", "See a.md: yes…"],
  );
});

test("code is one word, a sign is none", () => assert.equal(wordsOf("Run `docker compose up -d` – now").length, 3));
