// How are times and numbers written? All times of the page are µs.
const MS = 1e3;
const SECOND = 1e6;
const MINUTE = 60 * SECOND;

const UNITS = [["d", 86400 * SECOND], ["h", 3600 * SECOND], ["min", MINUTE], ["s", SECOND]];

// Minutes and more: the largest unit and the one below it.
const long = (us) => {
  let left = Math.round(us / SECOND) * SECOND;
  const largest = UNITS.findIndex(([, length]) => left >= length);
  return UNITS.slice(largest, largest + 2)
    .map(([name, length]) => {
      const count = Math.floor(left / length);
      left -= count * length;
      return count ? `${count} ${name}` : "";
    })
    .filter(Boolean)
    .join(" ");
};

const duration = (us) => {
  if (us === null) return "open";
  if (us < MS) return `${us} µs`;
  if (us < SECOND) return `${(us / MS).toFixed(us < 10 * MS ? 1 : 0)} ms`;
  return us < MINUTE - 5000 ? `${(us / SECOND).toFixed(2)} s` : long(us);
};

// A mark of the time axis, where marks stand `step` apart.
const tick = (us, step) => {
  if (us === 0) return "0";
  if (us < MINUTE) {
    if (us >= SECOND || step >= SECOND) return `${Number((us / SECOND).toFixed(6))} s`;
    return us >= MS || step >= MS ? `${Number((us / MS).toFixed(3))} ms` : `${us} µs`;
  }
  if (step >= MINUTE) return long(us);
  const seconds = us / SECOND;
  const digits = step >= SECOND ? 0 : Math.min(6, Math.ceil(-Math.log10(step / SECOND)));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = (seconds % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

// Distances between marks that read well.
const stepOf = (atLeast) => {
  for (let power = 1; power <= 10 * SECOND; power *= 10) {
    for (const times of [1, 2, 5]) if (times * power >= atLeast && times * power < 15 * SECOND) return times * power;
  }
  const known = [15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400].find((each) => each * SECOND >= atLeast);
  if (known) return known * SECOND;
  let step = 86400 * SECOND;
  while (step < atLeast) step *= 2;
  return step;
};

const instant = (us) => {
  const moment = new Date(us / MS);
  if (Number.isNaN(moment.getTime())) return `${us} µs`;
  return `${moment.toISOString().slice(0, -1).replace("T", " ")} UTC`;
};

const NUMBERS = new Intl.NumberFormat("en");
const grouped = (number) => NUMBERS.format(number);
const counted = (number, noun) => `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
