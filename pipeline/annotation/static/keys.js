// Which command a key means, by its place on the keyboard: the same with Hangul input on, on AZERTY, or with caps lock.

const COMMANDS = {
  KeyU: "undo", Backspace: "undo", KeyS: "skip", KeyF: "flag", KeyC: "comment", KeyJ: "older", KeyK: "newer",
  KeyH: "history", KeyG: "guide", KeyE: "example", Slash: "help", Enter: "next", NumpadEnter: "next", ArrowLeft: "less", ArrowRight: "more",
  Space: "accept",
};
const REPEATS = new Set(["less", "more"]);
const OFF = "modelyard-annotation-keys-off";
const OWN = "modelyard-annotation-own-keys-";
const LETTER = /^Key[A-Z]$/;
const FREE = /^(Key[A-Z]|Digit\d|Minus|Equal|BracketLeft|BracketRight|Backslash|IntlBackslash|Semicolon|Quote|Backquote|Comma|Period)$/;
const TYPED = /^(Digit\d|Minus|Period)$/;
const SIGNS = {
  Minus: "-", Equal: "=", BracketLeft: "[", BracketRight: "]", Backslash: "\\", IntlBackslash: "<", Semicolon: ";", Quote: "'", Backquote: "`", Comma: ",", Period: ".",
};

// What can have a key of one's own, each {id, code}: the labels, and the commands that are letters. `code` is the usual place, null without one.
export function actionsOf(labels) {
  const letters = Object.entries(COMMANDS).filter(([code]) => LETTER.test(code));
  return [...labels.map(({ name, code }) => ({ id: `label ${name}`, label: name, code })), ...letters.map(([code, command]) => ({ id: command, command, code }))];
}

// Places by id, as the person chose them: {id: code}; only what differs from the usual.
export function ownKeys(product) {
  try {
    return JSON.parse(localStorage.getItem(OWN + product)) ?? {};
  } catch {
    return {};
  }
}

export function keepOwnKeys(product, own) {
  if (Object.keys(own).length) localStorage.setItem(OWN + product, JSON.stringify(own));
  else localStorage.removeItem(OWN + product);
}

export const isOfOwnKeys = (entry) => entry?.startsWith(OWN);

// The place of each action by id. Choices of which two meet on one place, as after a new label, do not count.
export function placesOf(actions, own) {
  const places = new Map(actions.map(({ id, code }) => [id, own[id] ?? code]));
  const holders = (code) => actions.filter(({ id }) => places.get(id) === code);
  for (const { id, code } of actions) if (own[id] && holders(own[id]).length > 1) places.set(id, code);
  return places;
}

export const isFree = (code, { typesNumber }) => FREE.test(code) && !(typesNumber && TYPED.test(code));

// The choices after one action got a place: {own}, or {clash: the action that has it}. With `swap` the two change places.
export function withKey(own, { actions, id, code, swap = false }) {
  const places = placesOf(actions, own);
  const clash = actions.find((action) => action.id !== id && places.get(action.id) === code);
  if (clash && !swap) return { clash };
  if (clash) places.set(clash.id, places.get(id));
  places.set(id, code);
  const moved = actions.filter((action) => places.get(action.id) && places.get(action.id) !== action.code);
  return { own: Object.fromEntries(moved.map((action) => [action.id, places.get(action.id)])) };
}

let commands = COMMANDS;
let moved = new Map();

// Lets the commands have their own places from now on; returns the labels with theirs.
export function useKeys(labels, own) {
  const actions = actionsOf(labels);
  const places = placesOf(actions, own);
  moved = new Map(actions.filter(({ command }) => command).map(({ id, code }) => [code, places.get(id)]));
  commands = Object.fromEntries(Object.entries(COMMANDS).map(([code, command]) => [moved.get(code) ?? code, command]));
  return labels.map((label) => {
    const code = places.get(`label ${label.name}`);
    return code === label.code ? label : { ...label, code, key: signOf(code) };
  });
}

// What is written on a key, as far as that can be told without knowing the keyboard.
export const signOf = (code) => SIGNS[code] ?? code.replace(/^(Key|Digit)/, "");

export const areKeysOn = () => localStorage.getItem(OFF) === null;
export const switchKeys = (on) => (on ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));

const isField = (node) => node instanceof Element
  && (node.isContentEditable || node.matches("textarea, select, input:not([type=checkbox]):not([type=radio])"));

// The command of a key press, or {digit}, or {label: its number}; null where the press means nothing here.
export function meaningOf(event, { codes, typesNumber }) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return null;
  if (event.key === "?") return { command: "help" };
  if (!areKeysOn()) return null;
  if (typesNumber) {
    const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? { Period: ".", NumpadDecimal: ".", Minus: "-", NumpadSubtract: "-" }[event.code];
    if (digit !== undefined) return event.repeat ? null : { digit };
  }
  const label = codes.indexOf(event.code.replace(/^Numpad(\d)$/, "Digit$1"));
  if (label >= 0) return event.repeat ? null : { label };
  const command = commands[event.code];
  if (!command || (event.repeat && !REPEATS.has(command))) return null;
  // A button in focus is pressed by Enter or the space bar, as everywhere.
  if ((command === "next" || command === "accept") && event.target instanceof HTMLButtonElement) return null;
  return { command };
}

// Writes on each key's sign what this keyboard has there, where the browser tells. A sign has the usual place of a command
// (data-code), or the place of a label as it is (data-place).
export async function nameKeys() {
  const signs = [...document.querySelectorAll("kbd[data-code], kbd[data-place]")];
  const placeOf = ({ dataset }) => dataset.place ?? moved.get(dataset.code) ?? dataset.code;
  for (const sign of signs) sign.textContent = signOf(placeOf(sign));
  const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
  for (const sign of signs) {
    const written = placeOf(sign).startsWith("Digit") ? null : layout?.get(placeOf(sign));
    if (written && /^[\p{L}\p{P}\p{S}]$/u.test(written)) sign.textContent = written.toUpperCase();
  }
}
