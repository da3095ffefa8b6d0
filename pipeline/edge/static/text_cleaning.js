// Cleans a text as pipeline/core/cleaning.py does, rule by rule: a request is read as a row of the data was.
// characters: characters.json, what this Python knows of Unicode and HTML (pipeline/edge/character_tables.py).

import { withoutIdleJoiners } from "./joiners.js";
import { markupOf } from "./markup_patterns.js";

const JUDGED = 10_000; // characters from the start that decide for all of a text
// What Windows-1252 has for the bytes 0x80 to 0x9f; a space where it has nothing.
const WINDOWS = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff]/gu;
const SHOWS_NOTHING = /[\xad\u200b\u2060\ufeff\ufffe\uffff]/u;
const LARGEST = 0x10ffff;
const REPLACEMENT = "\ufffd";

// Returns clean(text, rules).
export function cleanerOf(characters) {
  const { space, combining, unassigned, ignored, fillers, entities, numbers } = characters;
  const markup = markupOf(characters);
  const blankLines = new RegExp(`\\n[${space}]*\\n`, "u");
  const blanks = new RegExp(`[${space}]+`, "u");
  const [blankStart, blankEnd] = [new RegExp(`^[${space}]+`, "u"), new RegExp(`[${space}]+$`, "u")];
  const combines = new RegExp(`[${combining}]`, "u");
  const unknown = new RegExp(`([${unassigned}]+)`, "u");
  const invisible = new RegExp(`[${ignored}]`, "gu");
  const filler = new RegExp(`[${fillers}]`, "gu");

  const withoutControls = (text, rules) => {
    const found = text.replaceAll(CONTROLS, controlAs);
    return rules === 1 ? found : found.replaceAll(invisible, "").replaceAll(filler, " ");
  };

  const unescaped = (text, rules) => text.replaceAll(markup[rules].entity, (_, again, named) => {
    const found = characterOf(named);
    return rules === 1 ? found : withoutControls(found, rules);
  });

  // What an entity such as `lt;` or `#60;` stands for, as Python's html.unescape has it.
  function characterOf(named) {
    if (named[0] === "#") {
      const hex = named[1] === "x" || named[1] === "X";
      const code = Number.parseInt(named.slice(hex ? 2 : 1), hex ? 16 : 10);
      if (numbers[code] !== undefined) return numbers[code];
      return code > LARGEST || (code >= 0xd800 && code <= 0xdfff) ? REPLACEMENT : String.fromCodePoint(code);
    }
    for (let end = named.length; end > 1; end -= 1) {
      const found = entities[named.slice(0, end)];
      if (found !== undefined) return found + named.slice(end);
    }
    return `&${named}`;
  }

  function wasEscaped(text, rules) {
    if (rules === 1) return true;
    const [start, { escapedLess, escaped, anyTag }] = [firstOf(text, JUDGED), markup[rules]];
    return escapedLess.test(start) && escaped.test(start) && start.search(anyTag) < 0;
  }

  function hasParagraphs(text, { escaped, rules }) {
    const judged = firstOf(text, JUDGED).replace(blankStart, "").replace(blankEnd, "");
    const start = escaped ? unescaped(judged, rules) : judged;
    return blankLines.test(start) || start.search(markup[rules].anyTag) >= 0;
  }

  function withoutJoiners(text, rules) {
    if (rules === 1) return text;
    const found = unescaped(text, rules);
    const pastMarks = rules > 2;
    return withoutIdleJoiners(pastMarks ? composed(found, unknown) : found, { combining: combines, pastMarks });
  }

  const inLines = (text) => text.split("\v").flatMap((part) => part.split(blankLines))
    .map((part) => part.split(blanks).filter(Boolean).join(" ")).filter(Boolean).join("\n");

  // A space after the `<` or `&` of what could be read as a tag or an entity.
  const asWords = (text, rules) => text
    .replaceAll(markup[rules].anyTag, (tag) => `< ${tag.slice(1)}`)
    .replaceAll(markup[rules].entity, (whole, again, named) => (
      again || characterOf(named) !== `&${named}` ? `& ${whole.slice(1)}` : whole
    ));

  return (given, rules) => {
    const escaped = wasEscaped(given, rules);
    let text = withoutControls(given, rules);
    if (escaped) text = unescaped(text, rules);
    text = text.replaceAll(markup[rules].breaks, "\v").replaceAll(markup[rules].tags, "");
    text = composed(withoutJoiners(text, rules), unknown);
    if (rules > 2 && text.includes("\n") && !hasParagraphs(given, { escaped, rules })) {
      text = text.replaceAll("\n", "\v");
    }
    text = inLines(text);
    return rules > 2 ? asWords(text, rules) : text;
  };
}

// The text in NFC. Python's Unicode, or the tokenizer's, may be older than the browser's: the characters that it does
// not know, which `unknown` captures, melt with no others.
export const composed = (text, unknown) => text.split(unknown)
  .map((part, number) => (number % 2 ? part : part.normalize("NFC"))).join("");

function controlAs(character) {
  if (SHOWS_NOTHING.test(character)) return "";
  const code = character.charCodeAt(0);
  return code >= 0x80 ? WINDOWS[code - 0x80] : " ";
}

// The first `count` code points of a text.
function firstOf(text, count) {
  if (text.length <= count) return text;
  let end = 0;
  for (let number = 0; number < count && end < text.length; number += 1) {
    end += text.codePointAt(end) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}
