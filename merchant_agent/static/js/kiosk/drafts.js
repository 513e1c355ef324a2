// Keeps a customer's unfinished answer at the terminal: each change is sent, the newest wins.

import { Refused, call, pause } from "./api.js";

const TEXT_MS = 600;
const RETRY_MS = 1000;

export class Drafts {
  // `onRefused(answer, error)`: the terminal takes nothing more about this question; `onUnreached()`: nobody answered.
  constructor({ onRefused, onUnreached }) {
    this.onRefused = onRefused;
    this.onUnreached = onUnreached;
    this.next = null;
    this.isSending = false;
    this.timer = 0;
    this.sentAt = 0;
  }

  keep(answer, { isText = false } = {}) {
    this.next = answer;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), isText ? TEXT_MS : 0);
  }

  // Nothing more is sent: the answer is finished, or given up.
  stop() {
    clearTimeout(this.timer);
    this.next = null;
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.next !== null) {
      const answer = this.next;
      this.next = null;
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
          if (this.next === null && answer.isOpen) this.next = answer;
        }
      }
    }
    this.isSending = false;
  }
}
