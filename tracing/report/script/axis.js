// Marks of the time axis, idle times that were cut, and recovery points: on the axis, and as lines behind the rows.
const LABEL = 64; // px that a mark's label needs

const marksOf = (view, width) => {
  const { scale, from, to } = view;
  const span = to - from;
  const step = stepOf((scale.whole * span * LABEL * 1.25) / Math.max(width, 1));
  const taken = []; // px from, to
  const free = (left, right) => taken.every(([begin, end]) => right < begin || left > end);
  const found = { gaps: [], ticks: [] };
  for (const piece of scale.pieces) {
    if (!piece.idle || piece.x > to || piece.x + piece.share < from) continue;
    const [left, share] = [(piece.x - from) / span, piece.share / span];
    const name = duration(Math.round(piece.to - piece.from));
    const centre = (left + share / 2) * width;
    const labelled = centre > 30 && centre < width - 30 && free(centre - 32, centre + 32);
    if (labelled) taken.push([centre - 32, centre + 32]);
    found.gaps.push({ left, share, name, labelled });
  }
  for (const piece of scale.pieces) {
    if (piece.idle) continue;
    const first = Math.max(piece.from, scale.time(from));
    const last = Math.min(piece.to, scale.time(to));
    for (let time = Math.ceil(first / step) * step; time <= last; time += step) {
      const at = (scale.at(time) - from) / span;
      if (at < 0 || at > 1) continue;
      const left = at * width;
      const labelled = left < width - LABEL / 2 && free(left - 6, left + LABEL - 6);
      if (labelled) taken.push([left - 6, left + LABEL - 6]);
      found.ticks.push({ at, name: tick(time, step), labelled });
    }
  }
  return found;
};

const placed = (className, left, ...children) => {
  const element = make("span", className, ...children);
  element.style.left = percent(left);
  return element;
};

const drawAxis = (axis, lines, view, recoveries) => {
  const { gaps, ticks } = marksOf(view, axis.clientWidth);
  const labels = [];
  const behind = [];
  for (const { left, share, name, labelled } of gaps) {
    const band = placed("gap", left);
    band.style.width = percent(share);
    behind.push(band);
    if (labelled) labels.push(placed("tick cut", left + share / 2, `⋯ ${name}`));
  }
  for (const { at, name, labelled } of ticks) {
    behind.push(placed("line", at));
    if (labelled) labels.push(placed("tick", at, name));
  }
  for (const [time, sign] of recoveries) {
    const at = (view.scale.at(time) - view.from) / (view.to - view.from);
    if (at < 0 || at > 1) continue;
    const flag = placed("flag", at);
    flag.title = `${data.strings[sign]}, ${after(time)}`;
    labels.push(flag);
    behind.push(placed("line recovery", at));
  }
  axis.querySelectorAll(".tick, .flag").forEach((old) => old.remove());
  axis.append(...labels);
  lines.replaceChildren(...behind);
};
