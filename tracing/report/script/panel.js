// What does a span say in full? (tracing/report/details.py writes it.)
const MOST = 1000; // attributes, events or links that are shown; search finds the others, too
const left = (count, noun) => (count > MOST ? [make("p", "warning", `${counted(count - MOST, `more ${noun}`)} in the trace file`)] : []);

const pairs = (listed) => {
  const list = make("dl", "pairs");
  for (let at = 0; at < Math.min(listed.length, 2 * MOST); at += 2) {
    list.append(make("dt", "", listed[at]), make("dd", "", listed[at + 1]));
  }
  list.append(...left(listed.length / 2, "attribute"));
  return list;
};
const texts = (numbers) => numbers.map(text);
const folding = (title, ...content) => make("details", "", make("summary", "", title), ...content);
const heading = (title) => make("h3", "", title);
const jump = (title, row) => button(title, "jump", () => reveal(row));

const message = ([role, reason, parts]) => {
  const spoken = text(role);
  const known = ["assistant", "user", "tool"].includes(spoken) ? ` ${spoken}` : "";
  const element = make("div", `message${known}`, make("p", "role", text(reason) ? `${spoken} (${text(reason)})` : spoken));
  for (let at = 0; at < parts.length; at += 2) {
    const [label, said] = [text(parts[at]), text(parts[at + 1])];
    if (label) element.append(make("p", "label", label), make("pre", "", said));
    else element.append(make("p", "text", said));
  }
  return element;
};

const panels = (numbers) =>
  texts(numbers).map((each, at) => (at % 2 ? make("pre", "", each) : heading(each)));

const after = (us) => `${us < 0 ? "-" : "+"}${duration(Math.abs(us))}`;
const event = ([name, at, attributes, stack]) => [
  make("h3", "", `${text(name)} `, make("span", "when", after(at))),
  pairs(texts(attributes)),
  ...(stack === null ? [] : [make("pre", "", text(stack))]),
];

const link = ([trace, id, row, attributes]) => [
  heading("Link"),
  make("p", "mono", `trace ${text(trace)}, span ${text(id)}`),
  ...(row === null ? [] : [jump("Go to this span", rows[row])]),
  ...(attributes.length ? [pairs(texts(attributes))] : []),
];

// Rows whose links lead to each row, so that one gets from a run to its replay as well as back.
const LINKED = 20; // of them are shown
let back;
const linksTo = (row) => {
  if (!back) {
    back = new Map();
    for (const each of rows) {
      for (const [, , target] of detailsOf(each).links) {
        if (target === null) continue;
        if (!back.has(target)) back.set(target, []);
        back.get(target).push(each);
      }
    }
  }
  return back.get(row.index) ?? [];
};

const WAITS = { queue: "Queue time", backoff: "Backoff", unrecorded: "Attempts without a record" };
const facts = (row, span) => {
  const trace = traces[row.trace];
  const listed = ["Status", text(span.status), "Kind", text(span.kind), "Started", instant(trace.begin + row.start)];
  listed.push("After", after(row.start), "Ended", row.took === null ? "open" : instant(trace.begin + row.end), "Took", duration(row.took));
  for (const [kind, length] of row.waits) listed.push(WAITS[data.waits[kind]], duration(length));
  if (row.tokens) listed.push("Tokens", `${grouped(row.tokens[0])} in, ${grouped(row.tokens[1])} out`);
  if (row.cost) listed.push("Cost", `${row.cost} (${row.exact})`);
  if (row.saved) listed.push("Saved", `${row.saved}, what its result cost where it was made`);
  listed.push("Span ID", row.id);
  if (span.parentId !== null) listed.push("Parent", `${text(span.parentId)}, not on this page`);
  else if (row.above) listed.push("Parent", row.above.id);
  listed.push("Trace ID", trace.id);
  if (text(span.scope)) listed.push("Scope", text(span.scope));
  return pairs(listed);
};

const inFull = (row) => {
  const span = detailsOf(row);
  const said = span.messages.length > 0;
  return [
    ...(span.error === null ? [] : [make("p", "error", text(span.error))]),
    ...(row.flags & UNRECORDED ? [make("p", "warning", "Attempts of this step left no full record: what they spent is unknown.")] : []),
    facts(row, span),
    ...(row.above ? [jump("Go to the parent", row.above)] : []),
    ...linksTo(row).slice(0, LINKED).map((other) => jump(`Linked from ${other.name}`, other)),
    ...(said ? [heading("Messages"), ...span.messages.map(message)] : panels(span.panels)),
    ...span.events.slice(0, MOST).flatMap(event),
    ...left(span.events.length, "event"),
    ...span.links.slice(0, MOST).flatMap(link),
    ...left(span.links.length, "link"),
    ...(span.attributes.length ? [heading("Attributes"), pairs(texts(span.attributes))] : []),
    ...(said && span.panels.length ? [folding("Input and output as captured", ...panels(span.panels))] : []),
    ...(span.common.length ? [folding("Attributes that all spans share", pairs(texts(span.common)))] : []),
    ...(span.resource.length ? [folding("Resource", pairs(texts(span.resource)))] : []),
  ];
};
