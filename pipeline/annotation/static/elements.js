// Finds and makes elements of a screen.

export const byId = (id) => document.getElementById(id);
export const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
