// Keeps a customer's unfinished answer at the terminal: each change is sent, the newest wins.

import { Refused, call, pause } from "./api.js";

const TEXT_MS = 600;
const LONGEST_TEXT_MS = 1500;
const RETRY_MS = 1000;

export class Drafts {
  // `onRefused(answer, error)`: the terminal takes nothing more about this question; `onUnreached()`: nobody answered.
  constructor({ onRefused, onUnreached }) {
    this.onRefused = onRefused;
    this.onUnreached = onUnreached;
    this.next = null;
    this.onWay = null;
    this.isSending = false;
    this.timer = 0;
    this.waitsSince = 0;
    this.sentAt = 0;
    this.afterKept = null;
    window.addEventListener("pagehide", () => this.leave());
  }

  keep(answer, { isText = false } = {}) {
    const now = performance.now();
    if (this.next === null) this.waitsSince = now;
    this.next = answer;
    clearTimeout(this.timer);
    // Whoever types without a pause is not waited for without end.
    const left = this.waitsSince + LONGEST_TEXT_MS - now;
    this.timer = setTimeout(() => this.send(), isText ? Math.max(0, Math.min(TEXT_MS, left)) : 0);
  }

  // Whether the terminal has not heard the newest state.
  get isBehind() {
    return this.next !== null || this.onWay !== null;
  }

  // Calls `act` once the terminal has heard the newest state, or will not have it.
  whenKept(act) {
    if (!this.isBehind) {
      act();
      return;
    }
    this.afterKept = act;
    clearTimeout(this.timer);
    this.send();
  }

  // Nothing more is sent: the answer is finished, or given up.
  stop() {
    clearTimeout(this.timer);
    this.next = null;
  }

  // The page goes away: what was not sent, or is on its way, is sent in a request that outlives it.
  leave() {
    const answer = this.next ?? this.onWay;
    if (answer === null || !answer.isOpen) return;
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify(answer.body());
    fetch(`/kiosk/api/answers/${answer.id}`, { method: "PUT", headers, body, keepalive: true }).catch(() => {});
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.next !== null) {
      const answer = this.next;
      this.next = null;
      this.onWay = answer;
      try {
        await call("PUT", `/kiosk/api/answers/${answer.id}`, answer.body());
        this.sentAt = performance.now();
      } catch (error) {
        if (error instanceof Refused && (error.isFinal || error.code === "store-full")) {
          this.onRefused(answer, error);
        } else {
          if (!(error instanceof Refused)) this.onUnreached();
          await pause(RETRY_MS);
          // Given up meanwhile, or replaced by a newer state.
          if (this.next === null && (answer.isOpen || this.afterKept !== null)) this.next = answer;
        }
      }
      this.onWay = null;
    }
    this.isSending = false;
    this.afterKept?.();
    this.afterKept = null;
  }
}
