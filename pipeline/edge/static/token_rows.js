// Turns the tokens of a text, or of the two texts of a pair, into the rows that a model reads, as
// pipeline/runtime/reader.py does. A text that is too long is cut, or read in windows.

export class Unreadable extends Error {}

// texts: the ids of each text, without special ones.
// frame: the special tokens around them, {ids: [before, between.., after], segments: [..], own: [..]}, where `own`
// is the segment of each text's tokens.
// Returns {rows: [{ids, segments}], truncated}.
export function rowsOf(texts, { frame, max_length: most, window_stride: stride, max_windows: windows }) {
  const special = frame.ids.reduce((sum, part) => sum + part.length, 0);
  const total = special + texts.reduce((sum, ids) => sum + ids.length, 0);
  if (total <= most) return { rows: [framed(texts, frame)], truncated: false };
  const room = most - special;
  if (stride === null) {
    const lengths = lengthsWithin(texts.map((ids) => ids.length), Math.max(room, 0));
    return { rows: [framed(texts.map((ids, at) => ids.slice(0, lengths[at])), frame)], truncated: true };
  }
  return windowsOf(texts, { frame, room, stride, windows });
}

function framed(texts, { ids, segments, own }) {
  const row = { ids: [...ids[0]], segments: [...segments[0]] };
  texts.forEach((text, at) => {
    for (const id of text) { row.ids.push(id); row.segments.push(own[at]); }
    row.ids.push(...ids[at + 1]);
    row.segments.push(...segments[at + 1]);
  });
  return row;
}

// How much of each text fits: of a pair, the longer text gives tokens first.
function lengthsWithin(lengths, room) {
  if (lengths.length === 1) return [room];
  let [short, long] = [Math.min(...lengths), Math.max(...lengths)];
  long = short > room ? short : Math.max(short, room - short);
  if (short + long > room) [short, long] = [Math.floor(room / 2), room - Math.floor(room / 2)];
  return lengths[0] > lengths[1] ? [long, short] : [short, long];
}

// Windows over the last text, each a stride further; the text before it is in every window.
function windowsOf(texts, { frame, room, stride, windows }) {
  const [fixed, moved] = [texts.slice(0, -1), texts.at(-1)];
  const space = room - fixed.reduce((sum, ids) => sum + ids.length, 0);
  if (space < 1) throw new Unreadable("first text takes all");
  const [step, last] = [Math.min(stride, space), Math.max(moved.length - space, 0)];
  const count = Math.ceil(last / step) + 1;
  const rows = Array.from({ length: Math.min(count, windows) }, (_, at) => (
    framed([...fixed, moved.slice(at * step, at * step + space)], frame)
  ));
  return { rows, truncated: count > windows };
}
