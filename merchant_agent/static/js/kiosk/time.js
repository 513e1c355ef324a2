// Days and times of day to choose from, the same in every language of the browser.

const DAYS = 60;

const two = (number) => String(number).padStart(2, "0");
const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

// This moment by the tablet's clock, as the terminal writes its own.
export function here(now = new Date()) {
  return `${dayOf(now)}T${two(now.getHours())}:${two(now.getMinutes())}`;
}

// Day, hour and minute of a local time.
export function partsOf(at) {
  return [at.slice(0, 10), at.slice(11, 13), at.slice(14, 16)];
}

export function offerTimes(screen, day) {
  const now = new Date();
  const days = Array.from({ length: DAYS }, (_, ago) => dayOf(new Date(now.getFullYear(), now.getMonth(), now.getDate() - ago)));
  // The sale's day where the two clocks differ; none where the customer does not know.
  offer(screen, "day", ["", ...new Set([day, ...days].filter(Boolean).sort().reverse())], (value) => value.slice(5));
  offer(screen, "hour", Array.from({ length: 24 }, (_, hour) => two(hour)));
  offer(screen, "minute", Array.from({ length: 60 }, (_, minute) => two(minute)));
}

function offer(screen, name, values, text = (value) => value) {
  screen.querySelector(`select[data-field="${name}"]`)?.replaceChildren(
    ...values.map((value) => new Option(text(value) || "—", value)),
  );
}
