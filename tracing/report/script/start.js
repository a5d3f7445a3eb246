// The page begins: what is clicked, typed, scrolled, printed.
document.documentElement.classList.add("js");

// --- colours ---
const THEMES = { system: "System colours", light: "Light", dark: "Dark" };
const kept = (value) => {
  try {
    if (value !== undefined) localStorage.setItem("durable-trace-theme", value);
    return localStorage.getItem("durable-trace-theme");
  } catch {
    return null; // a browser may refuse; the system's colours are right then
  }
};
const colour = (theme) => {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = THEMES[theme];
  restart();
};
$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
  kept(next);
  colour(next);
});
$("help-open").addEventListener("click", () => $("help").showModal());

// --- tables ---
const unfold = (template) => {
  template.previousElementSibling.remove();
  template.replaceWith(template.content);
};
document.addEventListener("click", (clicked) => {
  const more = clicked.target.closest?.("tr.more");
  if (more) unfold(more.nextElementSibling);
});

// --- links to spans ---
const addressed = (hash) => {
  const found = /^#span-([0-9a-f]{16})$/.exec(hash);
  return found ? byId.get(found[1]) : undefined;
};
const follow = (row) => {
  reveal(row);
  inspect(row);
};

if (rows.length) {
  page.current = rows[0];
  page.waterfalls = [...document.querySelectorAll(".waterfall")].map((element, number) => new Waterfall(element, traces[number]));
  for (const each of document.querySelectorAll("[data-filter]")) {
    const count = rows.filter(FILTERS[each.dataset.filter]).length;
    each.lastElementChild.textContent = grouped(count);
    each.disabled = !count;
  }
  $("idle").hidden = page.waterfalls.every((each) => each.short === null);

  document.addEventListener("click", (clicked) => {
    const element = clicked.target.closest?.(".row");
    const target = addressed(clicked.target.closest?.("a[href^='#span-']")?.hash ?? "");
    if (target) {
      clicked.preventDefault();
      follow(target);
    } else if (element) {
      const row = rows[element.dataset.index];
      if (clicked.target.closest(".fold") && row.below) {
        page.current = row;
        fold(row, isOpen(row));
      } else if (String(getSelection()) === "") {
        inspect(row);
        go(row);
      }
    } else if (clicked.target.closest?.("[data-filter]")) {
      const each = clicked.target.closest("[data-filter]");
      const on = each.getAttribute("aria-pressed") !== "true";
      each.setAttribute("aria-pressed", String(on));
      page.filters[on ? "add" : "delete"](each.dataset.filter);
      show();
    }
  });
  document.addEventListener("focusin", (focused) => {
    const index = focused.target.dataset?.index;
    if (index !== undefined && rows[index] !== page.current) {
      page.current = rows[index];
      say();
      render();
    }
  });
  let typing;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      page.words = wordsOf($("search").value);
      show();
      if (page.inspected) mark($("panel-body"), page.words);
    }, 80);
  });
  $("previous").addEventListener("click", () => hit(-1));
  $("next").addEventListener("click", () => hit(1));
  $("collapse").addEventListener("click", () => foldAll(true));
  $("expand").addEventListener("click", () => foldAll(false));
  $("close").addEventListener("click", close);
  $("idle").addEventListener("click", () => compress($("idle").getAttribute("aria-pressed") === "true" ? [] : page.waterfalls));
  $("whole").addEventListener("click", () => page.waterfalls.forEach((each) => each.zoom(0, 1)));

  addEventListener("scroll", render, { passive: true });
  addEventListener("resize", restart);
  new ResizeObserver(render).observe(document.body); // what is folded above moves rows into the window
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restart);
  addEventListener("hashchange", () => {
    const row = addressed(location.hash);
    if (row) follow(row);
  });

  // Paper has every row.
  addEventListener("beforeprint", () => {
    page.printing = true;
    document.querySelectorAll("template").forEach(unfold);
    for (const each of document.querySelectorAll("main details")) each.open = true;
    restart();
  });
  addEventListener("afterprint", () => {
    page.printing = false;
    restart();
  });

  show();
  const idle = page.waterfalls.filter((each) => each.mostlyIdle);
  if (idle.length) compress(idle);
  const row = addressed(location.hash);
  if (row) follow(row);
}
const remembered = kept();
colour(Object.hasOwn(THEMES, remembered ?? "") ? remembered : "system");
performance.mark("ready");
