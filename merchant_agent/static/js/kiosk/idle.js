// Closes what nobody touches any more, after a visible countdown.

export class Idle {
  // `onLeft(seconds)` while the countdown is visible, `onLeft(null)` once it is not.
  constructor(onLeft) {
    this.onLeft = onLeft;
    this.onEnd = null;
    for (const event of ["pointerdown", "keydown", "input", "compositionupdate", "scroll"]) {
      document.addEventListener(event, () => this.touch(), { capture: true, passive: true });
    }
    setInterval(() => this.tick(), 250);
  }

  // Calls `onEnd` after `seconds` without a touch; the countdown is visible for the last `visible` of them.
  start(seconds, visible, onEnd) {
    this.seconds = seconds;
    this.visible = visible;
    this.onEnd = onEnd;
    this.since = performance.now();
    this.tick();
  }

  stop() {
    this.onEnd = null;
    this.onLeft(null);
  }

  touch() {
    this.since = performance.now();
    this.tick();
  }

  tick() {
    if (this.onEnd === null) return;
    const left = this.seconds - (performance.now() - this.since) / 1000;
    if (left <= 0) {
      const end = this.onEnd;
      this.stop();
      end();
      return;
    }
    this.onLeft(left <= this.visible ? Math.ceil(left) : null);
  }
}
