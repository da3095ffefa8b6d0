// How the demo page writes words and numbers, and small helpers that its parts share.

import { language, say } from "./phrases.js";

export const byId = (id) => document.getElementById(id);

export const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// A button in a list item, such as an example to choose.
export const makeChoice = (onClick, ...content) => {
  const button = make("button");
  button.type = "button";
  button.append(...content);
  button.addEventListener("click", onClick);
  const item = make("li");
  item.append(button);
  return item;
};

// The options of fetch for a JSON body. Where the server needs a token, the browser adds it: it asked for it
// as a password before it showed the page.
export const postOf = (body, signal) => ({
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
});

export const words = (name) => {
  const spaced = name.replaceAll(/[-_]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};
export const number = (value, digits) => new Intl.NumberFormat(language, {
  maximumFractionDigits: digits, minimumFractionDigits: digits,
}).format(value);
const digitsFor = (value) => (value >= 10 ? 0 : value >= 1 ? 1 : 2);
// Never "100%" or "0%" for a rounded figure: a model is not certain.
export const percent = (share) => {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return say("over_99");
  if (rounded === 0 && share > 0) return say("under_1");
  return `${rounded}%`;
};
export const milliseconds = (value) => `${number(value, digitsFor(value))} ms`;
export const megabytes = (bytes) => {
  const size = bytes / 1e6;
  return size < 0.1 ? `${number(bytes / 1e3, 1)} kB` : `${number(size, digitsFor(size))} MB`;
};
export const signed = (value, digits) => (value < 0 ? "−" : "+") + number(Math.abs(value), digits);
export const times = (value) => `${number(value, digitsFor(value))}×`;
export const lowerFirst = (text) => (/^.[A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1));
export const either = (labels) => list(labels, "disjunction");
export const both = (labels) => list(labels, "conjunction");
const list = (labels, type) => new Intl.ListFormat(language, { type }).format(labels.map((label) => words(label).toLowerCase()));
