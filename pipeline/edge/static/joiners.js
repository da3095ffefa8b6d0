// Takes out joiners, variation selectors and tag characters that change nothing where they stand, as
// pipeline/core/invisible.py does.

const EMOJI = String.raw`#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\u{1f000}-\u{1faff}`;
const HAN = String.raw`\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{323af}`;
const MONGOLIAN = String.raw`\u1820-\u18aa`;
const JOINING = String.raw`\u0600-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\ua95f\ua980-\uabff\ufb50-\ufdff\ufe70-\ufefc`
  + String.raw`\u{10a00}-\u{11fff}\u{1e900}-\u{1e95f}`;
const HIDDEN = /[\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}]+/gu;
const JOINED = new RegExp(String.raw`^[${JOINING}][\u200c\u200d]`, "u");
const SHOWN = new RegExp(
  String.raw`^(?:\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f}`
  + String.raw`|[${EMOJI}][\ufe0e\ufe0f]?\u200d?`
  + String.raw`|[${HAN}][\ufe00-\ufe02\u{e0100}-\u{e01ef}]`
  + String.raw`|[${MONGOLIAN}][\u180b-\u180d\u180f]?[\u200c\u200d]?`
  + String.raw`|[${JOINING}][\u200c\u200d])`, "u",
);

// combining: a pattern of one character that combines.  pastMarks: whether a joiner after combining marks is judged
// by the letter that bears them.
export function withoutIdleJoiners(text, { combining, pastMarks }) {
  const kept = [];
  let [start, bearer] = [0, ""];
  for (const { 0: run, index } of text.matchAll(HIDDEN)) {
    const before = lastCharacter(text, index);
    if (pastMarks) bearer = bearerIn(text.slice(start, index), combining) ?? bearer;
    let end = index;
    if (pastMarks && before && combining.test(before)) {
      if (JOINED.test(bearer + run)) end += 1; // a joiner is one unit of UTF-16
    } else if (before) {
      const place = index - before.length;
      const shown = SHOWN.exec(text.slice(place, index + run.length));
      if (shown) end = place + shown[0].length;
    }
    kept.push(text.slice(start, end));
    start = index + run.length;
  }
  kept.push(text.slice(start));
  return kept.join("");
}

function lastCharacter(text, end) {
  if (end === 0) return "";
  const pair = end > 1 ? text.codePointAt(end - 2) : 0;
  return pair > 0xffff ? String.fromCodePoint(pair) : text[end - 1];
}

// The last character that does not combine; null where there is none.
function bearerIn(text, combining) {
  for (let end = text.length; end > 0;) {
    const character = lastCharacter(text, end);
    if (!combining.test(character)) return character;
    end -= character.length;
  }
  return null;
}
