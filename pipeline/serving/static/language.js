// The language tab: the next words as you type, and each word coloured by its surprise. No build.

import { say } from "./phrases.js";
import { byId, make, makeChoice, postOf } from "./words.js";

const TYPING_MS = 200;
const BLANK = "___";
const DARKEST_BITS = 20; // words of this many bits or more are marked darkest
const DARKEST = 55; // percent of the colour; the text is still readable on it
const WORD_BEGINS = /^[\p{L}\p{M}\p{N}'’]/u;
const WORD_ENDS = /[\p{L}\p{M}\p{N}'’]$/u;

const page = {
  tabs: byId("tabs"), context: byId("context"), next: byId("next"), note: byId("next-note"),
  title: byId("next-title"), surprise: byId("surprise"), cost: byId("surprise-note"),
  live: byId("language-live"),
};
const panels = { "tab-classify": byId("classify"), "tab-language": byId("language") };
const state = { typing: 0, abort: null, turn: 0 };

const percent = (share) => (share < 0.001 ? say("under_tenth") : `${(100 * share).toFixed(1)}%`);

// ---- the server --------------------------------------------------------------------------

async function post(name, text, signal) {
  const response = await fetch(`language/${name}`, postOf({ text }, signal));
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error.got}; ${answer.error.next_step}`);
  return answer;
}

async function ask() {
  clearTimeout(state.typing);
  state.abort?.abort();
  state.abort = new AbortController();
  const { signal } = state.abort;
  const turn = ++state.turn;
  const text = page.context.value;
  if (!text.trim()) return clear();
  try {
    const route = text.includes(BLANK) ? "fill" : "next";
    const [words, cost] = await Promise.all([
      post(route, text, signal),
      route === "fill" ? null : post("cost", text, signal),
    ]);
    if (turn !== state.turn) return;
    showWords(words, route);
    showCost(cost);
  } catch (error) {
    if (error.name !== "AbortError") page.note.textContent = say("failed", { why: error.message });
  }
}

// ---- what is shown -----------------------------------------------------------------------

function clear() {
  page.next.replaceChildren();
  page.surprise.replaceChildren();
  page.note.textContent = page.cost.textContent = "";
}

function showWords({ words, family, milliseconds }, route) {
  page.title.textContent = say(route === "fill" ? "fits" : "next");
  page.next.replaceChildren(...words.map((word) => makeWord(word, words[0].probability, route)));
  const kind = family === "bilm" && route === "next" ? "probabilities" : "scores";
  page.note.textContent = say("of_model", { kind: say(kind), time: milliseconds.toFixed(1) });
  page.live.textContent = words.slice(0, 3).map((word) => word.text).join(", ");
}

function makeWord({ text, probability }, highest, route) {
  const add = () => {
    const before = page.context.value;
    page.context.value = route === "fill"
      ? before.replace(BLANK, text)
      : `${before.trimEnd()} ${text}`;
    page.context.focus();
    ask();
  };
  const item = makeChoice(add, make("span", "name", text), make("span", "percent", percent(probability)));
  item.firstChild.className = "word";
  item.firstChild.style.setProperty("--share", `${100 * probability / highest}%`);
  return item;
}

function showCost(cost) {
  if (cost === null) {
    page.surprise.replaceChildren();
    page.cost.textContent = say("fill_first");
    return;
  }
  page.surprise.replaceChildren(...markWords(cost.tokens, cost.text));
  const part = cost.truncated ? say("only_part") : "";
  page.cost.textContent = part + (cost.backward_bits !== null
    ? say("bits_both", { left: cost.bits.toFixed(0), right: cost.backward_bits.toFixed(0) })
    : say("fits_worse"));
}

// The tokens of a word share one mark, with the sum of their bits. Some vocabularies keep the space before a
// word in its token and others drop it, so what was between the words comes from the text, unmarked.
function markWords(tokens, text) {
  const words = [];
  let place = 0;
  for (const token of tokens) {
    const piece = token.text.trim();
    const start = piece ? text.indexOf(piece, place) : -1;
    if (start < 0) continue;
    const last = words.at(-1);
    const continues = last && start === last.end && WORD_ENDS.test(last.text) && WORD_BEGINS.test(piece);
    if (continues) words.pop();
    place = start + piece.length;
    words.push({
      start: continues ? last.start : start,
      end: place,
      text: continues ? last.text + piece : piece,
      bits: token.bits + (continues ? last.bits : 0),
    });
  }
  return words.flatMap((word, number) => {
    const between = text.slice(number ? words[number - 1].end : 0, word.start);
    const mark = make("span", "token-cost", word.text);
    mark.style.setProperty("--surprise", `${Math.min(word.bits / DARKEST_BITS, 1) * DARKEST}%`);
    mark.title = say("bits", { bits: word.bits.toFixed(1) });
    return between ? [between, mark] : [mark];
  });
}

// ---- tabs --------------------------------------------------------------------------------

function choose(tab) {
  for (const [id, panel] of Object.entries(panels)) {
    const chosen = id === tab.id;
    byId(id).setAttribute("aria-selected", String(chosen));
    byId(id).tabIndex = chosen ? 0 : -1;
    panel.hidden = !chosen;
  }
  if (tab.id === "tab-language") ask();
}

function onKey(event) {
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = [...page.tabs.children];
  const other = tabs[(tabs.indexOf(event.target) + 1) % tabs.length];
  other.focus();
  choose(other);
}

async function start() {
  const response = await fetch("model").catch(() => null);
  if (!response?.ok || !(await response.json()).language_model) return;
  page.tabs.hidden = false;
  for (const tab of page.tabs.children) tab.addEventListener("click", () => choose(tab));
  page.tabs.addEventListener("keydown", onKey);
  page.context.addEventListener("input", () => {
    clearTimeout(state.typing);
    state.typing = setTimeout(ask, TYPING_MS);
  });
}

start();
