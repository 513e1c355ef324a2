// After pairing: waits as a tablet waits for a sale, shows that it woke, and tells that somebody tapped.

import { Refused, call, pause } from "./api.js";
import { beginAnew } from "./memory.js";

const POLL_TIMEOUT_MS = 26000;
const RETRY_MS = 1000;

const parts = new Map([...document.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
const fault = document.querySelector("[data-fault]");
const tried = document.querySelector("[data-tried]");

function show(name) {
  for (const [other, part] of parts) part.hidden = other !== name;
  parts.get(name).querySelector("h1").focus({ preventScroll: true });
}

// What is left to do now stands out.
function markTried() {
  tried.hidden = false;
  document.querySelector("[data-do=wake]").classList.remove("main");
  document.querySelector("[data-done]").classList.add("main");
}

async function tell(path) {
  try {
    await call("POST", `/kiosk/ready/${path}`, {});
    fault.hidden = true;
    return true;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) location.replace("/kiosk");
    fault.hidden = false;
    return false;
  }
}

async function waitForWakes() {
  for (let after = ""; ; ) {
    try {
      const { wakes } = await call("GET", `/kiosk/ready/wakes?${new URLSearchParams({ after })}`, undefined, { timeoutMs: POLL_TIMEOUT_MS });
      if (after !== "" && wakes !== after) show("woken");
      after = wakes;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) location.replace("/kiosk");
      await pause(RETRY_MS);
    }
  }
}

const taps = {
  wake: () => tell("wakes"),
  list: () => show("list"),
  try: async () => {
    const arrived = await tell("tried");
    if (arrived) markTried();
    show("list");
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) taps[button.dataset.do]();
});
document.addEventListener("contextmenu", (event) => event.preventDefault());

beginAnew();
waitForWakes();
