// One trace's rows, of which only those in the window are elements, whatever their number.
const BEYOND = 12; // rows kept above and below the window

class Waterfall {
  constructor(element, trace) {
    this.trace = trace;
    this.body = element.querySelector(".rows");
    this.axis = element.querySelector(".axis");
    this.lines = this.body.querySelector(".lines .time");
    this.overview = element.querySelector(".overview");
    this.canvas = element.querySelector("canvas");
    this.outside = [make("div", "outside"), make("div", "outside")];
    this.overview.append(...this.outside);
    this.elements = new Map(); // by index of the row
    this.list = [];
    this.short = shortScale(trace.rows, trace.length);
    this.plain = plainScale(trace.length);
    this.view = { scale: this.plain, from: 0, to: 1 };
    this.stale = true;
    choosing(this.overview, (from, to) => this.zoom(from, to), () => this.zoom(0, 1));
    choosing(this.axis, (from, to) => this.zoom(this.place(from), this.place(to)), () => this.zoom(0, 1));
    element.addEventListener("wheel", (turned) => this.turn(turned), { passive: false });
  }

  // Whether idle times are so long that what ran would hardly be seen.
  get mostlyIdle() {
    return this.short !== null && this.trace.length > 10 * SECOND && this.plain.whole > 2.5 * this.short.whole;
  }

  place(share) {
    return this.view.from + share * (this.view.to - this.view.from);
  }

  shorten(on) {
    this.view = { scale: on && this.short ? this.short : this.plain, from: 0, to: 1 };
    this.stale = true;
  }

  zoom(from, to) {
    const least = 10 / this.view.scale.whole; // 10 µs
    const width = Math.min(1, Math.max(least, to - from));
    const begin = Math.min(1 - width, Math.max(0, (from + to - width) / 2));
    this.view = { scale: this.view.scale, from: begin, to: begin + width };
    this.stale = true;
    render();
  }

  zoomBy(factor, centre) {
    const { from, to } = this.view;
    this.zoom(centre - (centre - from) * factor, centre + (to - centre) * factor);
  }

  zoomTo(row) {
    const { scale } = this.view;
    const [from, to] = [scale.at(row.start - row.waits.reduce((sum, [, length]) => sum + length, 0)), scale.at(row.end)];
    const margin = (to - from) * 0.05;
    this.zoom(from - margin, to + margin);
  }

  pan(share) {
    const by = share * (this.view.to - this.view.from);
    const kept = Math.min(1 - this.view.to, Math.max(-this.view.from, by));
    this.zoom(this.view.from + kept, this.view.to + kept);
  }

  turn(turned) {
    const box = this.axis.getBoundingClientRect();
    if (!turned.ctrlKey || turned.clientX < box.left || turned.clientX > box.right) return;
    turned.preventDefault();
    this.zoomBy(Math.exp(Math.max(-50, Math.min(50, turned.deltaY)) / 100), this.place((turned.clientX - box.left) / box.width));
  }

  get zoomed() {
    return this.view.to - this.view.from < 1;
  }

  show(list) {
    this.list = list;
    this.stale = true;
  }

  resize(height) {
    const size = `${this.list.length * height}px`;
    if (this.body.style.height !== size) this.body.style.height = size;
  }

  render(all, height, box) {
    const seen = box.bottom > -innerHeight && box.top < 2 * innerHeight;
    if (!seen && !all && !this.list.includes(page.current)) return this.clear();
    const from = all ? 0 : Math.max(0, Math.floor(-box.top / height) - BEYOND);
    const to = all ? this.list.length : Math.max(from, Math.ceil((innerHeight - box.top) / height) + BEYOND);
    const wanted = new Map();
    const place = this.list.indexOf(page.current);
    const add = (row, at) => row && wanted.set(row.index, [row, at]);
    if (place >= 0 && place < from) add(this.list[place], place);
    for (let at = from; at < to && at < this.list.length; at += 1) add(this.list[at], at);
    if (place >= to) add(this.list[place], place);
    this.put(wanted, height);
    if (this.stale) this.drawTime();
    this.stale = false;
  }

  // Elements stay in the order of rows, and those that stay are not moved: the one with the focus would lose it.
  put(wanted, height) {
    for (const [index, element] of this.elements) {
      if (wanted.has(index)) continue;
      element.remove();
      this.elements.delete(index);
    }
    let next = this.body.children[1] ?? null;
    for (const [index, [row, at]] of wanted) {
      let element = this.elements.get(index);
      const fresh = !element;
      if (fresh) {
        element = rowElement(row);
        this.elements.set(index, element);
        this.body.insertBefore(element, next);
      } else {
        next = element.nextElementSibling;
      }
      if (fresh || this.stale) {
        element.style.top = `${at * height}px`;
        redraw(element, row, this.view);
      }
      element.tabIndex = row === page.current ? 0 : -1;
    }
  }

  drawTime() {
    drawAxis(this.axis, this.lines, this.view, this.trace.recoveries);
    drawOverview(this.canvas, this.trace, this.view.scale);
    this.outside[0].style.width = percent(this.view.from);
    this.outside[1].style.left = percent(this.view.to);
  }

  clear() {
    for (const element of this.elements.values()) element.remove();
    this.elements.clear();
    this.stale = true;
  }
}
