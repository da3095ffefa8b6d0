// Small pictures as SVG, made by DOM calls: an interval as a bar, a line over time. Their meaning stands beside them as text.

const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 1000;

function shape(name, attributes) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function picture(className, height, ...shapes) {
  const image = shape("svg", { class: `drawn ${className}`, viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" });
  image.append(...shapes);
  return image;
}

// An interval on the scale from `least` to `most`, with a tick at each tenth part; `mark` is the value inside it.
export function intervalBar({ low, high, mark, least = 0, most = 1, ticks = 5 }) {
  const place = (value) => (WIDTH * (Math.min(Math.max(value, least), most) - least)) / (most - least);
  const marks = Array.from({ length: ticks + 1 }, (_, step) => shape("line", { class: "tick", x1: (WIDTH * step) / ticks, x2: (WIDTH * step) / ticks, y1: 0, y2: 20 }));
  const from = place(low);
  return picture("interval", 20, shape("line", { class: "track", x1: 0, x2: WIDTH, y1: 10, y2: 10 }), ...marks,
    shape("rect", { class: "span", x: from, y: 4, width: Math.max(place(high) - from, 4), height: 12 }),
    shape("rect", { class: "mark", x: Math.min(Math.max(place(mark) - 3, 0), WIDTH - 6), y: 0, width: 6, height: 20 }));
}

// What is done of what is needed: the band is the interval of what is needed.
export function goalBar({ done, needed, low, high }) {
  const most = 1.05 * Math.max(high ?? needed, needed, done, 1);
  const place = (value) => (WIDTH * value) / most;
  return picture("goal", 20, shape("rect", { class: "rest", x: 0, y: 4, width: WIDTH, height: 12 }),
    shape("rect", { class: "band", x: place(low), y: 0, width: Math.max(place(high ?? most) - place(low), 4), height: 20 }),
    shape("rect", { class: "done", x: 0, y: 4, width: place(done), height: 12 }),
    shape("rect", { class: "mark", x: Math.max(place(needed) - 2, 0), y: 0, width: 4, height: 20 }));
}

// A line through {time, labels}, the first at the left edge and the last at the right.
export function timeLine(points) {
  const times = points.map((point) => Date.parse(point.time));
  const [first, last, most] = [times[0], times.at(-1), points.at(-1).labels];
  const at = (index) => [last > first ? (WIDTH * (times[index] - first)) / (last - first) : 0, 190 - (180 * points[index].labels) / most];
  const corners = points.map((_, index) => at(index).map((each) => each.toFixed(1)).join(","));
  return picture("line", 200, shape("polygon", { class: "area", points: `0,190 ${corners.join(" ")} ${WIDTH},190` }),
    shape("polyline", { class: "path", points: corners.join(" ") }), shape("line", { class: "track", x1: 0, x2: WIDTH, y1: 190, y2: 190 }));
}
