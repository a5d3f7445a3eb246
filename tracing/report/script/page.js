// What does the page show now: which rows, which of them is current, whose details?
const page = {
  current: null, // the row that keys act on
  inspected: null, // the row whose details are open
  folded: new Set(),
  words: [],
  filters: new Set(),
  hits: null, // for each row, whether it is searched for; null without a search
  found: [], // these rows
  waterfalls: [],
};

const rowHeight = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
const waterfallOf = (row) => page.waterfalls[row.trace];
const isOpen = (row) => page.hits !== null || !page.folded.has(row);
const elementOf = (row) => waterfallOf(row).elements.get(row.index);

let waiting = false;
const render = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(renderNow);
};
const renderNow = () => {
  waiting = false;
  // All are given their heights before any is measured: else each would have the whole page laid out anew.
  const height = rowHeight();
  for (const waterfall of page.waterfalls) waterfall.resize(height);
  const boxes = page.waterfalls.map((each) => each.body.getBoundingClientRect());
  page.waterfalls.forEach((each, number) => each.render(page.printing, height, boxes[number]));
  if (page.waterfalls.length) $("whole").disabled = !page.waterfalls.some((each) => each.zoomed);
};

// Decides which rows are shown: those that are searched for with their ancestors, or those that are not folded away.
const show = () => {
  const filters = [...page.filters].map((name) => FILTERS[name]);
  page.hits = page.words.length || filters.length ? search(page.words) : null;
  page.found = [];
  const shown = new Uint8Array(rows.length);
  for (const row of rows) {
    if (page.hits === null) {
      shown[row.index] = row.above === null || (shown[row.above.index] && isOpen(row.above)) ? 1 : 0;
      continue;
    }
    if (filters.length && !filters.some((holds) => holds(row))) page.hits[row.index] = 0;
    if (!page.hits[row.index]) continue;
    page.found.push(row);
    for (let up = row; up && !shown[up.index]; up = up.above) shown[up.index] = 1;
  }
  for (const waterfall of page.waterfalls) waterfall.show(waterfall.trace.rows.filter((row) => shown[row.index]));
  if (!shown[page.current.index]) page.current = page.found[0] ?? rows.find((row) => shown[row.index]) ?? page.current;
  say();
  renderNow();
};

const say = () => {
  const all = counted(rows.length, "span");
  const place = page.found.indexOf(page.current) + 1;
  const hits = page.found.length === rows.length ? all : `${grouped(page.found.length)} of ${all}`;
  $("found").textContent = page.hits === null ? all : place ? `${grouped(place)} / ${hits}` : hits;
  for (const id of ["previous", "next"]) $(id).disabled = !page.found.length;
};

const fold = (row, close) => {
  if (page.hits !== null || !row.below) return;
  if (close) page.folded.add(row);
  else page.folded.delete(row);
  show();
};
const foldAll = (close) => {
  page.folded = new Set(close ? rows.filter((row) => row.below && row.level > 1) : []);
  show();
};

const go = (row, { focus = true } = {}) => {
  if (!row) return;
  page.current = row;
  say();
  renderNow();
  const element = elementOf(row);
  if (!element) return;
  element.scrollIntoView({ block: "nearest" });
  renderNow();
  if (focus) element.focus({ preventScroll: true });
  if (page.inspected && page.inspected !== row) inspect(row);
};

// Goes to a row that may be folded or searched away.
const reveal = (row) => {
  if (page.hits !== null && !page.hits[row.index]) clearSearch();
  for (let up = row.above; up; up = up.above) page.folded.delete(up);
  page.current = row;
  show();
  go(row);
};

const shownRows = () => page.waterfalls.flatMap((each) => each.list);
const neighbour = (row, by) => {
  const list = shownRows();
  const place = list.indexOf(row) + by;
  return list[Math.min(list.length - 1, Math.max(0, place))];
};
// The next row of those that are searched for, round and round.
const hit = (by, options) => {
  if (!page.found.length) return;
  const place = page.found.indexOf(page.current);
  const before = page.found.filter((row) => row.index < page.current.index).length;
  const next = place >= 0 ? place + by : by > 0 ? before : before - 1;
  go(page.found[(next + page.found.length) % page.found.length], options);
};

const inspect = (row) => {
  const before = page.inspected;
  page.inspected = row;
  page.current = row;
  for (const each of [before, row]) if (each) elementOf(each)?.setAttribute("aria-selected", String(each === row));
  $("panel-title").textContent = row.name;
  $("panel-body").replaceChildren(...inFull(row));
  $("permalink").href = `#span-${row.id}`;
  history.replaceState(null, "", `#span-${row.id}`);
  const panel = $("panel");
  panel.scrollTop = 0;
  if (panel.hidden) {
    panel.hidden = false;
    document.documentElement.classList.add("inspecting");
    restart(); // the time axis is narrower now
  }
  mark($("panel-body"), page.words);
};
const close = () => {
  if (!page.inspected) return;
  elementOf(page.inspected)?.setAttribute("aria-selected", "false");
  page.inspected = null;
  $("panel").hidden = true;
  document.documentElement.classList.remove("inspecting");
  history.replaceState(null, "", location.pathname + location.search);
  restart();
  elementOf(page.current)?.focus();
};

// Everything is drawn again: the window, the colours or the printer's paper have changed.
const restart = () => {
  const toolbar = document.querySelector(".toolbar");
  const above = toolbar && getComputedStyle(toolbar).position === "sticky" ? toolbar.offsetHeight : 0;
  document.documentElement.style.setProperty("--toolbar", `${above}px`);
  colours.clear();
  for (const waterfall of page.waterfalls) waterfall.stale = true;
  renderNow();
};

const clearSearch = () => {
  $("search").value = "";
  page.words = [];
  page.filters.clear();
  for (const each of document.querySelectorAll("[data-filter]")) each.setAttribute("aria-pressed", "false");
};

// Shortens idle times in these waterfalls, and in no other.
const compress = (waterfalls) => {
  $("idle").setAttribute("aria-pressed", String(waterfalls.length > 0));
  for (const waterfall of page.waterfalls) waterfall.shorten(waterfalls.includes(waterfall));
  renderNow();
};
