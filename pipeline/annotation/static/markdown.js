// The headings, lists and paragraphs of a text in Markdown, as elements; all else stays as it is written, and stays text.

const make = (tag, text = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.dir = "auto";
  return element;
};

// Returns the elements. A heading of the first level becomes one of level `top`, and so on down to level 6.
export function partsOf(text, top = 2) {
  const found = [];
  let list = null, lines = [], fenced = false;
  const flush = () => {
    if (lines.join("").trim()) found.push(make("p", lines.join("\n").trim()));
    lines = [];
  };
  for (const line of text.split("\n")) {
    if (/^ {0,3}(```|~~~)/.test(line)) fenced = !fenced;
    const heading = !fenced && /^(#{1,4})\s+(.*?)[\s#]*$/.exec(line);
    const item = !fenced && /^[-*+]\s+(.*)$/.exec(line);
    if (item) {
      flush();
      if (!list) found.push(list = make("ul"));
      list.append(make("li", item[1]));
    } else if (heading) {
      flush();
      list = null;
      found.push(make(`h${Math.min(heading[1].length + top - 1, 6)}`, heading[2]));
    } else if (line.trim()) {
      list = null;
      lines.push(line);
    } else flush();
  }
  flush();
  return found;
}
