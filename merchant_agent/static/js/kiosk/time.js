// The shop's time, by the terminal's clock and zone: a tablet's own may be another's.

const DAYS = 60;
const DAY_MS = 86_400_000;

const two = (number) => String(number).padStart(2, "0");

// The terminal's last word on the time, as if its wall showed UTC, and when it was heard.
let told = null;

// `at` is a time of the terminal with its offset.
export function hearTime(at) {
  told = { wall: Date.parse(`${at.slice(0, 19)}Z`), heardAt: performance.now() };
}

function wallNow() {
  if (told !== null) return told.wall + (performance.now() - told.heardAt);
  const now = new Date();
  return now.getTime() - now.getTimezoneOffset() * 60_000;
}

// This moment in the shop, as `2026-11-24T10:26`.
export function here() {
  return new Date(wallNow()).toISOString().slice(0, 16);
}

// Day, hour and minute of a local time.
export function partsOf(at) {
  return [at.slice(0, 10), at.slice(11, 13), at.slice(14, 16)];
}

export function offerTimes(screen, day) {
  const now = wallNow();
  const days = Array.from({ length: DAYS }, (_, ago) => new Date(now - ago * DAY_MS).toISOString().slice(0, 10));
  // The sale's day where the two clocks differ; none where the customer does not know.
  offer(screen, "day", ["", ...new Set([day, ...days].filter(Boolean).sort().reverse())], dayText);
  offer(screen, "hour", Array.from({ length: 24 }, (_, hour) => two(hour)));
  offer(screen, "minute", Array.from({ length: 60 }, (_, minute) => two(minute)));
}

function dayText(day) {
  const text = new Intl.DateTimeFormat(document.documentElement.lang, { month: "short", day: "numeric", timeZone: "UTC" });
  return day && text.format(new Date(day));
}

function offer(screen, name, values, text = (value) => value) {
  screen.querySelector(`select[data-field="${name}"]`)?.replaceChildren(
    ...values.map((value) => new Option(text(value) || "—", value)),
  );
}
