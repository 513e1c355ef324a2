// The long poll: hears from the terminal what this tablet is to show, and comes back by itself.

import { Refused, call, pause } from "./api.js";
import { recall } from "./memory.js";

const POLL_TIMEOUT_MS = 26000;
const LONGEST_PAUSE_MS = 5000;

export class Link {
  // `onScreen(screen, askedAt)`; `onLost()` once when the terminal is gone; `onFound()` once when it is back; `onUnpaired()`.
  constructor(events) {
    this.events = events;
    this.version = "";
    this.failures = 0;
    this.poll = null;
    document.addEventListener("visibilitychange", () => this.wake());
    window.addEventListener("online", () => this.wake());
    window.addEventListener("offline", () => this.doubt());
  }

  get isUp() {
    return this.failures === 0;
  }

  // Another request failed: the pending one may wait for an answer that never comes.
  doubt() {
    if (this.isUp) this.again();
  }

  // Asks anew, and is answered at once.
  again() {
    this.version = "";
    this.poll?.abort();
  }

  // After sleep the pending request may be a dead one: ask again at once.
  wake() {
    if (document.visibilityState === "visible") this.poll?.abort();
  }

  async run() {
    for (;;) {
      this.poll = new AbortController();
      const askedAt = performance.now();
      try {
        // After a failure without waiting: the first answer tells that the terminal is back.
        const version = this.isUp ? this.version : "";
        const query = new URLSearchParams({ version, head: recall() });
        const path = `/kiosk/api/screen?${query}`;
        this.take(await call("GET", path, undefined, { timeoutMs: POLL_TIMEOUT_MS, signal: this.poll.signal }), askedAt);
      } catch (error) {
        if (!this.poll.signal.aborted) await this.miss(error);
      }
    }
  }

  take(screen, askedAt) {
    this.version = screen.version;
    if (!this.isUp) {
      this.failures = 0;
      this.events.onFound();
    }
    this.events.onScreen(screen, askedAt);
  }

  async miss(error) {
    this.failures += 1;
    if (error instanceof Refused && error.status === 401) {
      this.events.onUnpaired();
      await pause(LONGEST_PAUSE_MS);
      return;
    }
    // One failure happens at every restart of the terminal and is not worth a word.
    if (this.failures === 2) this.events.onLost();
    await pause(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** this.failures) * (0.5 + Math.random() / 2));
  }
}
