// Folding, search, keyboard and details. Text is only ever set as text: nothing that comes from a trace is parsed as HTML.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll(".row")];
  const panel = $("panel");
  const search = $("search");
  const found = $("found");
  document.documentElement.classList.add("js");
  if (!rows.length) return;

  const position = new Map(rows.map((row, index) => [row.id, index]));
  const above = []; // position of each row's parent; -1 for a root
  const line = [];
  for (const [index, row] of rows.entries()) {
    const level = Number(row.getAttribute("aria-level"));
    line.length = level - 1;
    above.push(level > 1 ? line[level - 2] : -1);
    line.push(index);
  }

  let parsed;
  const traces = () => (parsed ??= JSON.parse($("details").textContent));
  const place = (index) => rows[index].id.split("-").slice(1).map(Number);
  const detailsOf = (index) => {
    const [trace, span] = place(index);
    return [traces()[trace], traces()[trace].spans[span]];
  };

  // --- which rows are shown ---
  const folded = new Set();
  let words = [];
  let texts;

  const textOf = (index) => {
    const strings = [rows[index].textContent, rows[index].className];
    const collect = (value) => {
      if (typeof value === "string") strings.push(value);
      else if (value && typeof value === "object") Object.values(value).forEach(collect);
    };
    collect(detailsOf(index)[1]);
    return strings.join("\n").toLowerCase();
  };

  const show = () => {
    const shown = new Array(rows.length).fill(false);
    const hit = new Array(rows.length).fill(true);
    let hits = rows.length;
    if (words.length) {
      texts ??= rows.map((_, index) => textOf(index));
      hits = 0;
      for (let index = 0; index < rows.length; index += 1) {
        hit[index] = words.every((word) => texts[index].includes(word));
        if (!hit[index]) continue;
        hits += 1;
        for (let up = index; up >= 0 && !shown[up]; up = above[up]) shown[up] = true;
      }
    } else {
      for (let index = 0; index < rows.length; index += 1) {
        shown[index] = above[index] < 0 || (shown[above[index]] && !folded.has(above[index]));
      }
    }
    for (const [index, row] of rows.entries()) {
      if (row.hidden === shown[index]) row.hidden = !shown[index];
      row.classList.toggle("context", !hit[index]);
      if (row.hasAttribute("aria-expanded")) {
        row.setAttribute("aria-expanded", String(Boolean(words.length) || !folded.has(index)));
      }
    }
    const all = `${rows.length.toLocaleString("en")} ${rows.length === 1 ? "span" : "spans"}`;
    found.textContent = words.length ? `${hits.toLocaleString("en")} of ${all}` : all;
    if (rows[current].hidden) focusable(Math.max(0, rows.findIndex((row) => !row.hidden)));
  };

  const fold = (index, close) => {
    if (words.length || !rows[index].hasAttribute("aria-expanded")) return;
    if (close) folded.add(index);
    else folded.delete(index);
    show();
  };

  // --- which row is current ---
  let current = 0;
  const focusable = (index) => {
    rows[current].tabIndex = -1;
    current = index;
    rows[index].tabIndex = 0;
  };
  const go = (index) => {
    if (index < 0 || index >= rows.length) return;
    focusable(index);
    rows[index].focus();
    rows[index].scrollIntoView({ block: "nearest" });
    if (!panel.hidden) inspect(index);
  };
  const reveal = (id) => {
    const index = position.get(id);
    if (index === undefined) return;
    if (words.length) {
      search.value = "";
      words = [];
    }
    for (let up = above[index]; up >= 0; up = above[up]) folded.delete(up);
    show();
    go(index);
  };
  const neighbour = (index, step) => {
    let next = index + step;
    while (next >= 0 && next < rows.length && rows[next].hidden) next += step;
    return next;
  };

  // --- details ---
  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };
  const pairs = (listed) =>
    make("dl", "pairs", ...listed.flatMap(([key, value]) => [make("dt", "", key), make("dd", "", value)]));
  const folding = (title, ...content) => make("details", "", make("summary", "", title), ...content);
  const jump = (title, id) => {
    const button = make("button", "jump", title);
    button.type = "button";
    button.addEventListener("click", () => reveal(id));
    return button;
  };
  const message = (each) => {
    const known = ["assistant", "user", "tool"].includes(each.role) ? ` ${each.role}` : "";
    const role = each.finish_reason ? `${each.role} (${each.finish_reason})` : each.role;
    const parts = each.parts.flatMap(({ label, text }) =>
      label ? [make("p", "label", label), make("pre", "", text)] : [make("p", "text", text)],
    );
    return make("div", `message${known}`, make("p", "role", role), ...parts);
  };
  const event = (each) => [
    make("h3", "", `${each.name} ${each.at}`),
    pairs(each.attributes),
    ...(each.stacktrace ? [make("pre", "", each.stacktrace)] : []),
  ];
  const link = (each) => [
    make("h3", "", "Link"),
    make("p", "", each.target),
    ...(each.row ? [jump("Go to this span", each.row)] : []),
    ...(each.attributes.length ? [pairs(each.attributes)] : []),
  ];
  const panels = (listed) => listed.flatMap(([title, text]) => [make("h3", "", title), make("pre", "", text)]);

  const inspect = (index) => {
    const [trace, span] = detailsOf(index);
    const said = span.conversation.length > 0;
    for (const row of document.querySelectorAll('.row[aria-selected="true"]')) row.removeAttribute("aria-selected");
    rows[index].setAttribute("aria-selected", "true");
    $("panel-title").textContent = rows[index].querySelector("bdi").textContent;
    const resource = trace.resources[span.resource];
    $("panel-body").replaceChildren(
      ...(span.error ? [make("p", "error", span.error)] : []),
      pairs(span.facts),
      ...(span.parent ? [jump("Go to the parent", span.parent)] : []),
      ...(said ? [make("h3", "", "Messages"), ...span.conversation.map(message)] : panels(span.panels)),
      ...span.events.flatMap(event),
      ...span.links.flatMap(link),
      ...(span.attributes.length ? [make("h3", "", "Attributes"), pairs(span.attributes)] : []),
      ...(said && span.panels.length ? [folding("Input and output as captured", ...panels(span.panels))] : []),
      ...(trace.common.length ? [folding("Attributes that all spans share", pairs(trace.common))] : []),
      ...(resource.length ? [folding("Resource", pairs(resource))] : []),
    );
    panel.scrollTop = 0;
    panel.hidden = false;
    document.documentElement.classList.add("inspecting");
  };
  const close = () => {
    panel.hidden = true;
    document.documentElement.classList.remove("inspecting");
    for (const row of document.querySelectorAll('.row[aria-selected="true"]')) row.removeAttribute("aria-selected");
    rows[current].focus();
  };

  // --- what a reader does ---
  document.addEventListener("click", (happened) => {
    const row = happened.target.closest?.(".row");
    if (!row) return;
    const index = position.get(row.id);
    focusable(index);
    if (happened.target.closest(".fold") && row.hasAttribute("aria-expanded")) fold(index, !folded.has(index));
    else if (String(getSelection()) === "") inspect(index);
  });
  $("close").addEventListener("click", close);
  $("collapse").addEventListener("click", () => {
    for (const [index, row] of rows.entries()) if (row.hasAttribute("aria-expanded")) folded.add(index);
    show();
  });
  $("expand").addEventListener("click", () => {
    folded.clear();
    show();
  });
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      words = search.value.toLowerCase().split(/\s+/u).filter(Boolean);
      show();
    }, 80);
  });

  const onRow = {
    ArrowDown: (index) => go(neighbour(index, 1)),
    ArrowUp: (index) => go(neighbour(index, -1)),
    Home: () => go(neighbour(-1, 1)),
    End: () => go(neighbour(rows.length, -1)),
    ArrowRight: (index) => {
      if (rows[index].getAttribute("aria-expanded") === "false") fold(index, false);
      else if (rows[index].hasAttribute("aria-expanded")) go(neighbour(index, 1));
    },
    ArrowLeft: (index) => {
      if (rows[index].getAttribute("aria-expanded") === "true" && !words.length) fold(index, true);
      else go(above[index]);
    },
    Enter: (index) => {
      if (rows[index].getAttribute("aria-selected") === "true") panel.focus();
      else inspect(index);
    },
  };
  document.addEventListener("keydown", (pressed) => {
    if (pressed.altKey || pressed.ctrlKey || pressed.metaKey || pressed.isComposing) return;
    const writing = pressed.target === search;
    if (pressed.key === "Escape" && !panel.hidden && !writing) close();
    else if (pressed.key === "Escape" && writing && !search.value) rows[current].focus();
    else if (pressed.key === "/" && !writing) search.focus();
    else if (pressed.key === "ArrowDown" && writing) go(neighbour(-1, 1));
    else if (pressed.target.classList.contains("row") && onRow[pressed.key]) onRow[pressed.key](position.get(pressed.target.id));
    else return;
    pressed.preventDefault();
  });
})();
