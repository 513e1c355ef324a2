// Hands that shake, press long or slide: what a browser takes for two taps, or for none, is one.

const TREMOR_MS = 400;
const NEAR_PX = 30;
// Android makes no click of a long press; where one comes, it has come by then.
const CLICK_MS = 40;

let last = { at: -Infinity, x: 0, y: 0 };
let clicks = 0;
let touch = null;

const isNear = (one, other) => Math.hypot(one.x - other.x, one.y - other.y) <= NEAR_PX;
// On the page, not on the glass: what was scrolled there meanwhile is another place.
const place = ({ pageX, pageY }) => ({ x: pageX, y: pageY });
const isScrollable = () => document.documentElement.scrollHeight > window.innerHeight + 1;

// The second tap of a shaking hand would undo the first one. Digits may be typed as fast as anybody can,
// and a keyboard clicks nowhere.
function isTremor(event) {
  if (event.detail === 0 || event.target.closest(".key")) return false;
  const tap = { at: event.timeStamp, ...place(event) };
  if (tap.at - last.at < TREMOR_MS && isNear(tap, last)) return true;
  last = tap;
  return false;
}

function begin(event) {
  const button = event.target.closest("button");
  touch = event.touches.length === 1 && button ? { button, clicks, top: window.scrollY, ...place(event.touches[0]) } : null;
}

// The finger is lifted from the button that it was put on, and the browser made no click of it.
function end(event) {
  const began = touch;
  touch = null;
  if (began === null || event.touches.length > 0 || window.scrollY !== began.top) return;
  const [finger] = event.changedTouches;
  const lifted = place(finger);
  if (isScrollable() && !isNear(began, lifted)) return;
  setTimeout(() => {
    const there = document.elementFromPoint(finger.clientX, finger.clientY)?.closest("button");
    if (there !== began.button || clicks !== began.clicks) return;
    last = { at: event.timeStamp, ...lifted };
    there.click();
  }, CLICK_MS);
}

// Before everything else that listens to clicks.
export function steady() {
  document.addEventListener("click", (event) => {
    clicks += 1;
    if (!isTremor(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  document.addEventListener("touchstart", begin, { capture: true, passive: true });
  document.addEventListener("touchend", end, { capture: true, passive: true });
}
