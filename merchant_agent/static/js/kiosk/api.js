// Requests to the shop's terminal. Either JSON comes back, or one of two errors is thrown.

import { remember } from "./memory.js";

// The terminal said no; `isFinal` when the same again can never succeed.
export class Refused extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }

  get isFinal() {
    return this.status < 500 && ![401, 408, 425, 429].includes(this.status);
  }
}

// Nobody answered, or something that is not our terminal did.
export class Unreached extends Error {}

export async function call(method, path, body, { timeoutMs = 8000, signal } = {}) {
  const ends = new AbortController();
  const timer = setTimeout(() => ends.abort(), timeoutMs);
  const stop = () => ends.abort();
  signal?.addEventListener("abort", stop);
  try {
    return await answerOf(
      await fetch(path, {
        method,
        headers: body === undefined ? {} : { "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: ends.signal,
        redirect: "error",
        cache: "no-store",
      }),
    );
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Unreached(String(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function answerOf(response) {
  if (!remember(response.headers.get("Merchant-Agent-Head"))) throw new Refused(401, "another-terminal");
  const type = response.headers.get("Content-Type") ?? "";
  if (response.ok && type.startsWith("application/json")) return response.json();
  if (type.startsWith("application/problem+json")) {
    throw new Refused(response.status, (await response.json()).code);
  }
  throw new Unreached(`an answer that is not the terminal's: ${response.status} ${type}`);
}

export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
