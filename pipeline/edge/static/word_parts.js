// Gives the token ids of a text by the tokenizers library. How single characters are read is taken from tables, where
// there are such (pipeline/edge/word_tables.py): the library asks the browser's Unicode, lowers a
// whole text at once, and so reads some texts otherwise than where the model was trained.

import { composed } from "./text_cleaning.js";

const PARTED = "\ud800"; // stands for a removed mark between which nothing is sorted; half a character, which no text has

// Returns encode(text) → ids, without special tokens at the ends.
export function encoderOf(tokenizer, words) {
  if (words !== null) KINDS[words.kind](tokenizer, words);
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
}

const KINDS = {
  bert(tokenizer, words) {
    tokenizer.normalizer = normalizerOf(words);
    tokenizer.pre_tokenizer = splitterOf(words);
  },
  bytes(tokenizer, { letters, numbers, blanks, unknown }) {
    if (unknown !== null) tokenizer.normalizer = (text) => composed(text, new RegExp(`([${unknown}]+)`, "u"));
    const word = new RegExp(
      `'s|'t|'re|'ve|'m|'ll|'d| ?[${letters}]+| ?[${numbers}]+| ?[^${blanks}${letters}${numbers}]+`
      + `|[${blanks}]+(?![^${blanks}])|[${blanks}]+`, "gu",
    );
    const bytes = tokenizer.pre_tokenizer;
    bytes.use_regex = false; // it then only writes each word as bytes
    tokenizer.pre_tokenizer = (text) => (text.match(word) ?? []).flatMap((part) => bytes.pre_tokenize_text(part));
  },
};

function normalizerOf({ removed, spaced, decomposed, others, orders, parting }) {
  const classOf = (inside) => new RegExp(`^[${inside}]$`, "u");
  const [isRemoved, isSpaced, isDecomposed, isParting] = [removed, spaced, decomposed, parting].map(classOf);
  const become = (character) => {
    if (Object.hasOwn(others, character)) return others[character];
    if (isRemoved.test(character)) return isParting.test(character) ? PARTED : "";
    if (isSpaced.test(character)) return ` ${character} `;
    return isDecomposed.test(character) ? character.normalize("NFD") : character;
  };
  const known = new Map();
  const sorted = new RegExp(`[${Object.keys(orders).join("")}]{2,}`, "gu");
  return (text) => {
    const parts = [];
    for (const character of text) {
      let part = known.get(character);
      if (part === undefined) known.set(character, part = become(character));
      parts.push(part);
    }
    return parts.join("")
      .replaceAll(sorted, (run) => [...run].sort((one, other) => orders[one] - orders[other]).join(""))
      .replaceAll(/\ud800/gu, "");
  };
}

function splitterOf({ blanks, marks }) {
  const word = new RegExp(`[${marks}]|[^${blanks}${marks}]+`, "gu");
  return (text) => text.match(word) ?? [];
}
