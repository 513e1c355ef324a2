// While a finger is on the glass nothing is moved from under it: what was to be shown waits.

// The click comes after the finger is gone.
const CLICK_MS = 60;

export class Finger {
  constructor() {
    this.pointers = new Set();
    this.isClicking = false;
    this.timer = 0;
    this.waiting = new Map();
    const listen = (event, act) => document.addEventListener(event, act, { capture: true, passive: true });
    listen("pointerdown", ({ pointerId }) => this.press(pointerId));
    for (const event of ["pointerup", "pointercancel"]) listen(event, ({ pointerId }) => this.lift(pointerId));
    document.addEventListener("visibilitychange", () => [...this.pointers].forEach((each) => this.lift(each)));
  }

  press(pointer) {
    clearTimeout(this.timer);
    this.isClicking = false;
    this.pointers.add(pointer);
  }

  lift(pointer) {
    if (!this.pointers.delete(pointer) || this.pointers.size > 0) return;
    this.isClicking = true;
    this.timer = setTimeout(() => this.release(), CLICK_MS);
  }

  // Acts now, or once the finger is gone; of several that wait under one name the last one acts.
  afterwards(name, act) {
    if (this.pointers.size === 0 && !this.isClicking) act();
    else this.waiting.set(name, act);
  }

  release() {
    this.isClicking = false;
    const acts = [...this.waiting.values()];
    this.waiting.clear();
    for (const act of acts) act();
  }
}
