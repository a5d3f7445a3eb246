// The whole trace at a glance, above its rows: one thin line a span. The part that the rows show is bright.
const colours = new Map(); // resolved once for each theme; a canvas knows no style sheet
const colourOf = (name) => {
  if (!colours.has(name)) {
    const probe = make("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    colours.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return colours.get(name);
};

const drawOverview = (canvas, trace, scale) => {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const paint = canvas.getContext("2d");
  paint.scale(ratio, ratio);
  const thickness = Math.min(4, Math.max(1, height / trace.rows.length - 0.5));
  const highest = Math.max(1, height - thickness);
  trace.rows.forEach((row, place) => {
    paint.fillStyle = colourOf(row.flags & FAILED ? "failed" : row.flags & REUSED ? "reused" : row.kind);
    const left = scale.at(row.start) * width;
    paint.fillRect(left, (place / Math.max(1, trace.rows.length - 1)) * highest, Math.max(1, scale.at(row.end) * width - left), thickness);
  });
};

// Dragging over an element chooses a part of it (0 to 1), a double click all.
const choosing = (element, chosen, reset) => {
  let begun = null;
  const shade = make("div", "chosen");
  shade.hidden = true;
  element.append(shade);
  const place = (happened) => {
    const box = element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (happened.clientX - box.left) / box.width));
  };
  element.addEventListener("pointerdown", (happened) => {
    if (happened.button !== 0) return;
    begun = place(happened);
    element.setPointerCapture(happened.pointerId);
    happened.preventDefault();
  });
  element.addEventListener("pointermove", (happened) => {
    if (begun === null) return;
    const now = place(happened);
    shade.hidden = false;
    shade.style.left = percent(Math.min(begun, now));
    shade.style.width = percent(Math.abs(now - begun));
  });
  element.addEventListener("pointerup", (happened) => {
    const [from, to] = [begun, place(happened)];
    begun = null;
    shade.hidden = true;
    if (from !== null && Math.abs(to - from) * element.clientWidth > 4) chosen(Math.min(from, to), Math.max(from, to));
  });
  element.addEventListener("pointercancel", () => {
    begun = null;
    shade.hidden = true;
  });
  element.addEventListener("dblclick", reset);
};
