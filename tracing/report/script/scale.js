// Where on the axis is a time? Pieces of time follow each other; idle ones may be drawn shorter than they were.

const ACTIVE = new Set(["attempt", "model", "tool", "other"]); // what runs; runs, steps and timers mostly wait
const GAP = 0.05; // a shortened idle time takes this share of the busy time …
const GAPS = 0.5; // … and all of them together at most this

// A scale of pieces ({from, to, width}): places are 0 to 1.
const scaleOf = (pieces) => {
  const whole = pieces.reduce((sum, piece) => sum + piece.width, 0);
  let x = 0;
  for (const piece of pieces) {
    piece.x = x / whole;
    x += piece.width;
    piece.share = piece.width / whole;
  }
  const find = (key, value) => {
    let [low, high] = [0, pieces.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle][key] <= value) low = middle;
      else high = middle - 1;
    }
    return pieces[low];
  };
  return {
    pieces,
    whole, // µs of unshortened time that the axis would hold
    at: (time) => {
      const piece = find("from", time);
      return piece.x + Math.min(1, Math.max(0, (time - piece.from) / (piece.to - piece.from))) * piece.share;
    },
    time: (place) => {
      const piece = find("x", place);
      return piece.from + Math.min(1, Math.max(0, (place - piece.x) / piece.share)) * (piece.to - piece.from);
    },
  };
};

const plainScale = (length) => scaleOf([{ from: 0, to: length, width: length, idle: false }]);

// Times in which something ran, or began, or ended.
const busyTimes = (list) => {
  const times = [];
  for (const row of list) {
    if (!row.below && (ACTIVE.has(row.kind) || row.flags & REUSED)) times.push([row.start, row.end]);
    else times.push([row.start, row.start], [row.end, row.end]);
  }
  times.sort((one, other) => one[0] - other[0]);
  const merged = [];
  for (const [from, to] of times) {
    const last = merged[merged.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
};

// A scale without long idle times; null where there are none worth it.
const shortScale = (list, length) => {
  const busy = busyTimes(list);
  const gaps = [];
  for (let index = 1; index < busy.length; index += 1) gaps.push([busy[index - 1][1], busy[index][0]]);
  gaps.sort((one, other) => other[1] - other[0] - (one[1] - one[0]));
  // From the longest on: each is shortened that is long beside all that is not shortened.
  let left = length;
  const cut = [];
  for (const [from, to] of gaps.slice(0, 200)) {
    const rest = left - (to - from);
    if (to - from < Math.max(1, 2 * GAP * Math.max(rest, 1))) break;
    cut.push([from, to]);
    left = rest;
  }
  if (!cut.length) return null;
  const room = Math.max(1, left) * Math.min(GAP, GAPS / cut.length);
  cut.sort((one, other) => one[0] - other[0]);
  const pieces = [];
  let time = 0;
  for (const [from, to] of cut) {
    const margin = Math.min(room / 2, (to - from) / 8); // what ends where the gap begins stays off it
    if (from + margin > time) pieces.push({ from: time, to: from + margin, width: from + margin - time, idle: false });
    pieces.push({ from: from + margin, to: to - margin, width: room, idle: true });
    time = to - margin;
  }
  if (length > time) pieces.push({ from: time, to: length, width: length - time, idle: false });
  return scaleOf(pieces);
};
