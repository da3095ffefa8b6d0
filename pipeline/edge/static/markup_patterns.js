// Patterns of HTML tags and entities by the numbers of the rules of cleaning, as pipeline/core/markup.py has them.
// Python ignores case by other rules than JavaScript: there `ı` and `İ` are an i. So names are written out in every
// case that Python takes. Tests compare both sides on odd texts (tests/edge/test_character_tables.py).

const OTHER_CASES = { i: "ıİ", k: "\u212a", s: "ſ" };
const BREAKS = "br|p|div|li|ul|ol|tr|table|h[1-6]|hr|blockquote";
const TAGS = "a|b|i|u|s|em|strong|span|font|small|big|sub|sup|td|th|img|code|pre|center|q|cite";
const CHARACTER = "(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});";

const anyCase = (pattern) => pattern.replaceAll(
  /[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}${OTHER_CASES[letter] ?? ""}]`,
);

// Returns number of the rules → patterns. space, word: what Python's `\s` and `\w` are, as the inside of a class.
export function markupOf({ space, word }) {
  const [breaks, tags] = [`(?:${anyCase(BREAKS)})`, `(?:${anyCase(TAGS)})`];
  const names = `(?:${breaks}|${tags})`;
  const nameEnds = `(?![${word}])`;

  const markup = ({ before, after, again }) => {
    const tag = (name) => new RegExp(`<${before}(?:/[${space}]*)?${name}${after}[^<>]*>`, "gu");
    const repeated = anyCase(again);
    const less = `&${repeated}(?:${anyCase("lt")}|#0{0,4}60|#[xX]0{0,4}3[cC]);`;
    const more = `&${repeated}(?:${anyCase("gt")}|#0{0,4}62|#[xX]0{0,4}3[eE]);`;
    const closes = `/[${space}]*${names}|[bBhH][rR]`;
    return {
      breaks: tag(breaks),
      tags: tag(tags),
      anyTag: tag(names),
      entity: new RegExp(`&(${again})(${CHARACTER})`, "gu"),
      escapedLess: new RegExp(less, "u"),
      escaped: new RegExp(
        `[${word}.!?…)]${less}(?:${closes})${nameEnds}[^&<>]*${more}`
        + `|${less}${names}${nameEnds}[^&<>/]*/[${space}]*${more}`, "u",
      ),
    };
  };

  const old = markup({ before: `[${space}]*`, after: nameEnds, again: "" });
  const strict = markup({ before: "", after: `(?=[${space}/>\\\\])`, again: "(?:amp;){0,3}" });
  return { 1: old, 2: old, 3: strict };
}
