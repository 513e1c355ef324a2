// What must reach the terminal once: kept in the browser's storage until it did, in order.
// Each item is sent under an id made here, so that sending it again changes nothing.
// A contact is never stored: after a restart of the browser the rest is sent without it.

import { Refused, call, pause } from "./api.js";

const KEY = "outbox";
const RETRY_MS = [0, 300, 700, 1500, 3000, 5000];

export class Outbox {
  // `onUnreached()`: nobody answered.
  constructor(onUnreached) {
    this.onUnreached = onUnreached;
    this.waiting = new Map();
    this.late = new Map();
    this.contacts = new Map();
    this.isSending = false;
    this.hurry = () => {};
  }

  // Resolves to the terminal's answer, or to null when there is none within `withinMs`: then the
  // item is kept and sent later, and `onLate` gets the answer. Rejects with `Refused` when the
  // terminal will not have it.
  post(path, body, withinMs, onLate = () => {}) {
    const { contact, consents, ...kept } = body;
    const item = { path, body: kept };
    if (contact) this.contacts.set(path, { contact, consents });
    const items = this.load();
    items.push(item);
    this.save(items);
    return new Promise((resolve, reject) => {
      this.waiting.set(path, { resolve, reject });
      setTimeout(() => {
        if (!this.waiting.delete(path)) return;
        this.late.set(path, onLate);
        resolve(null);
      }, withinMs);
      this.flush();
    });
  }

  // Sends what waits, now rather than at the next try.
  async flush() {
    this.hurry();
    if (this.isSending) return;
    this.isSending = true;
    for (let tries = 0; this.load().length > 0; ) {
      const hurried = new Promise((done) => { this.hurry = done; });
      await Promise.race([pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]), hurried]);
      tries = (await this.sendFirst()) ? 0 : tries + 1;
    }
    this.isSending = false;
  }

  async sendFirst() {
    const [item] = this.load();
    const waits = this.waiting.get(item.path);
    try {
      const answer = await call("POST", item.path, { ...item.body, ...this.contacts.get(item.path) });
      waits?.resolve(answer);
      this.late.get(item.path)?.(answer);
    } catch (error) {
      const isFull = error instanceof Refused && error.code === "store-full";
      if (!(error instanceof Refused)) this.onUnreached();
      // A person is told at once that nothing was saved; without anybody to tell, it is tried again.
      if (!(error instanceof Refused) || !(error.isFinal || (isFull && waits))) return false;
      waits?.reject(error);
    }
    this.waiting.delete(item.path);
    this.late.delete(item.path);
    this.contacts.delete(item.path);
    this.save(this.load().filter((other) => other.path !== item.path));
    return true;
  }

  load() {
    try {
      return JSON.parse(localStorage.getItem(KEY) ?? "[]");
    } catch {
      return [];
    }
  }

  save(items) {
    if (items.length === 0) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify(items));
  }
}
