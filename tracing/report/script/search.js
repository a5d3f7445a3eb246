// Which rows hold these words? Each text is looked at once, however many rows have it.
let parsed;
const details = () => {
  if (!parsed) {
    parsed = JSON.parse($("details").textContent);
    parsed.strings = data.strings.concat(parsed.strings);
  }
  return parsed;
};
const text = (number) => details().strings[number];
const detailsOf = (row) => {
  const trace = details().traces[row.trace];
  const [status, kind, scope, parentId, error, messages, panels, events, links, attributes, resource] =
    trace.spans[row.index - traces[row.trace].first];
  return { status, kind, scope, parentId, error, messages, panels, events, links, attributes, resource: trace.resources[resource], common: trace.common };
};

const textsOf = (row) => {
  const span = detailsOf(row);
  return [
    ...row.texts, span.status, span.kind, span.scope, span.parentId, span.error, ...span.panels, ...span.attributes,
    ...span.messages.flatMap(([role, reason, parts]) => [role, reason, ...parts]),
    ...span.events.flatMap(([name, , attributes, stack]) => [name, stack, ...attributes]),
    ...span.links.flatMap(([trace, id, , attributes]) => [trace, id, ...attributes]),
    ...(row.index === traces[row.trace].first ? [...span.common, ...span.resource] : []),
  ].filter((number) => number !== null);
};

// Numbers of the texts of all rows, one row after the other, and where each row's begin.
let index;
const indexed = () => {
  if (!index) {
    const begins = new Uint32Array(rows.length + 1);
    const numbers = [];
    for (const row of rows) {
      for (const number of textsOf(row)) numbers.push(number);
      begins[row.index + 1] = numbers.length;
    }
    index = { begins, numbers: Uint32Array.from(numbers), lower: details().strings.map((each) => each.toLowerCase()) };
  }
  return index;
};

const wordsOf = (typed) => typed.toLowerCase().split(/\s+/u).filter(Boolean);

// For each row, whether it holds all the words.
const search = (words) => {
  const found = new Uint8Array(rows.length).fill(1);
  for (const word of words) {
    const { begins, numbers, lower } = indexed();
    const holds = Uint8Array.from(lower, (each) => (each.includes(word) ? 1 : 0));
    for (const row of rows) {
      if (!found[row.index]) continue;
      let hit = row.id.includes(word) || (row.index === traces[row.trace].first && traces[row.trace].id.includes(word));
      for (let at = begins[row.index]; !hit && at < begins[row.index + 1]; at += 1) hit = holds[numbers[at]] === 1;
      if (!hit) found[row.index] = 0;
    }
  }
  return found;
};

const FILTERS = {
  errors: (row) => row.flags & FAILED,
  model: (row) => row.kind === "model",
  retries: (row) => row.flags & RETRY,
  reused: (row) => row.flags & REUSED,
};

// Shows the words where they stand in the details; the page's elements stay as they are.
const mark = (element, words) => {
  if (!globalThis.CSS?.highlights) return;
  CSS.highlights.delete("found");
  const ranges = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); words.length && node && ranges.length < 500; node = walker.nextNode()) {
    const lower = node.data.toLowerCase();
    for (const word of words) {
      // Lower case may be longer than what it is made of: a place is then none of the text.
      for (let at = lower.indexOf(word); at >= 0 && at + word.length <= node.length && ranges.length < 500; at = lower.indexOf(word, at + word.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
        node.parentElement.closest("details")?.setAttribute("open", "");
      }
    }
  }
  if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
};
