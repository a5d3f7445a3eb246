// Opens the details of a row. All text is set as text: nothing that comes from a trace is parsed as HTML.
"use strict";
(() => {
  const traces = JSON.parse(document.getElementById("details").textContent);
  // The same class of characters as HIDDEN in text.py: JSON inside a span may bring them in again, escaped.
  const hidden =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/gu;
  const visible = (text) =>
    String(text).replace(hidden, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    for (const child of children) element.append(child instanceof Node ? child : visible(child));
    return element;
  };

  const values = (pairs) => {
    const body = make("tbody", "");
    for (const [key, value] of pairs) {
      const head = make("th", "", key);
      head.scope = "row";
      body.append(make("tr", "", head, make("td", "", value)));
    }
    return make("table", "values", body);
  };

  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };

  const written = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

  const message = (each) => {
    const parts = [make("p", "role", each.role ?? "message")];
    if (each.content !== null && each.content !== undefined) parts.push(make("pre", "", written(each.content)));
    if (each.tool_calls) parts.push(make("pre", "", written(each.tool_calls)));
    return make("div", "message", ...parts);
  };

  const isMessage = (value) => value !== null && typeof value === "object" && "role" in value;

  const panel = ([title, text]) => {
    const value = parsed(text);
    const messages = Array.isArray(value?.messages) ? value.messages : isMessage(value) ? [value] : undefined;
    const content = messages?.every(isMessage)
      ? messages.map(message)
      : [make("pre", "", value === undefined ? text : written(value))];
    return make("div", "panel", make("h4", "", title), ...content);
  };

  const details = (trace, span) => {
    const cell = make("td", "");
    cell.colSpan = 5;
    const facts = span.facts.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value)));
    cell.append(make("dl", "", ...facts));
    if (span.panels.length) cell.append(make("div", "panels", ...span.panels.map(panel)));
    if (span.attributes.length) cell.append(make("h4", "", "Attributes"), values(span.attributes));
    for (const [name, time, attributes] of span.events) {
      cell.append(make("h4", "", `Event ${name} at ${time}`), values(attributes));
    }
    for (const [target, attributes] of span.links) cell.append(make("h4", "", `Link to ${target}`), values(attributes));
    if (trace.common.length) {
      cell.append(make("details", "", make("summary", "", "Same on every span"), values(trace.common)));
    }
    return make("tr", "details", cell);
  };

  const toggle = (row) => {
    const button = row.querySelector("button");
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      row.nextElementSibling.remove();
    } else {
      const trace = traces[Number(row.dataset.trace)];
      row.after(details(trace, trace.spans[Number(row.dataset.span)]));
    }
  };

  const next = (row, way) => {
    do row = row[way];
    while (row && !row.classList.contains("row"));
    return row;
  };

  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    if (row && !String(window.getSelection())) toggle(row);
  });

  document.addEventListener("keydown", (event) => {
    const way = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const row = event.target.closest("tr.row");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const button = row.querySelector("button");
    const open = button.getAttribute("aria-expanded") === "true";
    if (way) {
      next(row, way)?.querySelector("button").focus();
    } else if ((event.key === "ArrowRight" && !open) || ((event.key === "ArrowLeft" || event.key === "Escape") && open)) {
      toggle(row);
    } else {
      return;
    }
    event.preventDefault();
  });
})();
