// Which rows are there, and which stand inside which? (tracing/report/rows.py writes them.)
const FAILED = 1;
const OPEN = 2;
const REUSED = 4;
const RETRY = 8;
const UNRECORDED = 16;

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("rows").textContent);

const rows = []; // of all traces, one after the other

const rowOf = ([id, level, kind, flags, name, start, took, waits, notes, tokens, cost, saved], trace) => ({
  id, level, flags, start, took, waits, tokens, trace,
  index: rows.length,
  kind: data.kinds[kind],
  name: data.strings[name],
  notes: notes.map((note) => data.strings[note]),
  texts: [name, ...notes], // by number
  cost: cost && data.strings[cost[0]],
  exact: cost && data.strings[cost[1]],
  saved: saved === null ? null : data.strings[saved],
  above: null, // the row it stands in
  below: 0, // how many rows stand in it
  end: start, // where it is open: the end of the trace
});

const traceOf = ({ id, begin, rows: lists, recoveries }, number) => {
  const first = rows.length;
  const line = []; // a row and what it stands in, by level
  let length = 1;
  for (const list of lists) {
    const row = rowOf(list, number);
    line.length = row.level - 1;
    row.above = line[row.level - 2] ?? null;
    line.push(row);
    rows.push(row);
    length = Math.max(length, row.start + (row.took ?? 0));
  }
  const own = rows.slice(first);
  for (const row of own) row.end = row.took === null ? length : row.start + row.took;
  for (const row of own.toReversed()) if (row.above) row.above.below += row.below + 1;
  return { id, begin, recoveries, first, length, rows: own };
};

const traces = data.traces.map(traceOf);
const byId = new Map(rows.toReversed().map((row) => [row.id, row])); // of two with one ID, the first
