// How does one row look: its name, its bar, what it waited for, its numbers?
const bar = (className, view, from, to) => {
  const span = view.to - view.from;
  const left = (view.scale.at(from) - view.from) / span;
  const right = (view.scale.at(to) - view.from) / span;
  if (right < 0 || left > 1) return null;
  const element = make("i", `bar ${className}`);
  // Far outside, a bar's ends are not seen, and numbers get too large for a style.
  const begin = Math.max(left, -1);
  element.style.left = percent(Math.min(begin, 0.9985));
  element.style.width = `max(2px, ${percent(Math.min(right, 2) - begin)})`;
  return element;
};

const bars = (row, view) => {
  const found = [];
  let end = row.start;
  for (const [kind, length] of [...row.waits].reverse()) {
    found.unshift(bar(data.waits[kind], view, Math.max(0, end - length), end));
    end -= length;
  }
  const state = `${row.flags & FAILED ? " failed" : ""}${row.flags & REUSED ? " reused" : ""}${row.flags & OPEN ? " open" : ""}`;
  found.push(bar(`${row.kind}${state}`, view, row.start, row.end));
  return found.filter(Boolean);
};

const described = (row) => {
  const said = [row.name, `starts ${after(row.start)}, took ${duration(row.took)}`];
  for (const [kind, length] of row.waits) said.push(`${WAITS[data.waits[kind]].toLowerCase()} ${duration(length)}`);
  if (row.cost) said.push(`cost ${row.exact}`);
  return said.join("\n");
};

const nothing = () => {
  const element = make("span", "nothing", "–");
  element.setAttribute("aria-label", "none");
  return element;
};
const tokensOf = (row) =>
  row.tokens ? [grouped(row.tokens[0]), make("span", "arrow", " → "), grouped(row.tokens[1])] : [nothing()];
const costOf = (row) => {
  if (row.saved) return [make("span", "saved", `saved ${row.saved}`)];
  if (row.cost === null) return [nothing()];
  const element = make("span", row.cost === "unknown" ? "unknown" : "", row.cost);
  element.title = row.exact;
  return [element];
};

const rowElement = (row) => {
  const element = cell("row", `columns row ${row.kind}${row.flags & FAILED ? " failed" : ""}${row.flags & REUSED ? " reused" : ""}`);
  element.dataset.index = row.index;
  element.setAttribute("aria-level", row.level);
  element.setAttribute("aria-rowindex", row.index - traces[row.trace].first + 2);
  element.tabIndex = -1;
  const name = cell("rowheader", "name", make("span", "indent"), make("span", "fold"), make("i", "dot"), make("bdi", "", row.name));
  name.firstChild.style.width = `calc(var(--indent) * ${Math.min(row.level - 1, 16)})`;
  if (row.flags & FAILED) name.append(make("span", "note bad", "error"));
  if (row.flags & REUSED) name.append(make("span", "note good", "reused"));
  for (const note of row.notes) name.append(make("span", /^(?:attempt |on )/.test(note) ? "note quiet" : "note", note));
  name.append(make("span", "inside"));
  const time = cell("gridcell", "time");
  time.title = described(row);
  time.append(make("span", "unseen", `starts ${after(row.start)}`));
  element.append(name, time, cell("gridcell", "number took", duration(row.took)), cell("gridcell", "number tokens", ...tokensOf(row)), cell("gridcell", "number", ...costOf(row)));
  return element;
};

const redraw = (element, row, view) => {
  const time = element.children[1];
  time.replaceChildren(time.firstChild, ...bars(row, view));
  element.classList.toggle("context", page.hits !== null && !page.hits[row.index]);
  element.setAttribute("aria-selected", String(page.inspected === row));
  if (!row.below) return;
  const open = isOpen(row);
  element.setAttribute("aria-expanded", String(open));
  element.querySelector(".inside").textContent = open ? "" : `+${grouped(row.below)}`;
};
