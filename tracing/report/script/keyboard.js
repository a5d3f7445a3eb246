// What does each key do? `help.html.jinja` lists them.
const SCREEN = 20; // rows of PgUp and PgDn

const onRow = {
  ArrowDown: (row) => go(neighbour(row, 1)),
  ArrowUp: (row) => go(neighbour(row, -1)),
  Home: () => go(shownRows()[0]),
  End: () => go(shownRows().at(-1)),
  PageDown: (row) => go(neighbour(row, SCREEN)),
  PageUp: (row) => go(neighbour(row, -SCREEN)),
  ArrowRight: (row) => {
    if (row.below && !isOpen(row)) fold(row, false);
    else if (row.below) go(neighbour(row, 1));
  },
  ArrowLeft: (row) => {
    if (row.below && page.hits === null && isOpen(row)) fold(row, true);
    else go(row.above);
  },
  "Shift+ArrowRight": (row) => waterfallOf(row).pan(0.25),
  "Shift+ArrowLeft": (row) => waterfallOf(row).pan(-0.25),
  Enter: (row) => {
    if (page.inspected === row) $("panel").focus();
    else inspect(row);
  },
  " ": (row) => inspect(row),
};

const middle = (row) => waterfallOf(row).view.scale.at((row.start + row.end) / 2);
const anywhere = {
  j: onRow.ArrowDown,
  k: onRow.ArrowUp,
  l: onRow.ArrowRight,
  h: onRow.ArrowLeft,
  n: () => hit(1),
  p: () => hit(-1),
  z: (row) => waterfallOf(row).zoomTo(row),
  "+": (row) => waterfallOf(row).zoomBy(0.5, middle(row)),
  "-": (row) => waterfallOf(row).zoomBy(2, middle(row)),
  0: () => $("whole").click(),
  i: () => $("idle").click(),
  c: () => foldAll(true),
  e: () => foldAll(false),
  "/": () => {
    $("search").focus();
    $("search").select();
  },
  "?": () => $("help").showModal(),
  Escape: close,
};

const inSearch = {
  Enter: () => hit(1, { focus: false }),
  "Shift+Enter": () => hit(-1, { focus: false }),
  ArrowDown: () => (page.hits === null || page.hits[page.current.index] ? go(page.current) : hit(1)),
  Escape: () => {
    if (!$("search").value) go(page.current);
    clearSearch();
    show();
  },
};

document.addEventListener("keydown", (pressed) => {
  if (pressed.altKey || pressed.ctrlKey || pressed.metaKey || pressed.isComposing || $("help").open || !rows.length) return;
  const named = pressed.shiftKey && pressed.key.length > 1 ? `Shift+${pressed.key}` : pressed.key;
  const { target } = pressed;
  const keys = target.id === "search" ? inSearch : target.classList?.contains("row") ? { ...anywhere, ...onRow } : anywhere;
  const act = Object.hasOwn(keys, named) ? keys[named] : undefined;
  if (!act) return;
  pressed.preventDefault();
  act(page.current);
});
