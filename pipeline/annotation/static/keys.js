// Which command a key means, by its place on the keyboard: the same with Hangul input on, on AZERTY, or with caps lock.

const COMMANDS = {
  KeyU: "undo", Backspace: "undo", KeyS: "skip", KeyF: "flag", KeyC: "comment", KeyJ: "older", KeyK: "newer",
  KeyH: "history", KeyG: "guide", Slash: "help", Enter: "next", NumpadEnter: "next", ArrowLeft: "less", ArrowRight: "more",
};
const REPEATS = new Set(["less", "more"]);
const OFF = "modelyard-annotation-keys-off";

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
  const command = COMMANDS[event.code];
  if (!command || (event.repeat && !REPEATS.has(command))) return null;
  // A button in focus is pressed by Enter, as everywhere.
  if (command === "next" && event.target instanceof HTMLButtonElement) return null;
  return { command };
}

// Writes on each key's sign what this keyboard has there, where the browser tells.
export async function nameKeys() {
  const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
  for (const sign of document.querySelectorAll("kbd[data-code]")) {
    const written = sign.dataset.code.startsWith("Digit") ? null : layout?.get(sign.dataset.code);
    if (written && /^\p{L}$/u.test(written)) sign.textContent = written.toUpperCase();
  }
}
