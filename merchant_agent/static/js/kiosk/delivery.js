// What a customer said on its way to the terminal: kept at once, delivered once, thanked for.

import { Refused } from "./api.js";
import { Drafts } from "./drafts.js";
import { link } from "./hearing.js";
import { Outbox } from "./outbox.js";
import { finger, idle, leave, present, stage, watch } from "./scene.js";
import { fill } from "./stage.js";
import { config, isMine, now } from "./state.js";
import { tidy } from "./text.js";
import { Thanks } from "./thanks.js";

const WAIT_FOR_THANKS_MS = 5000;
const SLOW_MS = 300;
const KEEP_ALIVE_MS = 6000;
const ELSEWHERE = new Set(["answered-elsewhere", "answered"]);

export const outbox = new Outbox(() => link.doubt());
export const drafts = new Drafts({
  onRefused: (answer, error) => refuse(answer, error),
  onUnreached: () => link.doubt(),
});

export function keep(answer, { isText = false }) {
  answer.isTouched = true;
  answer.lang = stage.lang;
  drafts.keep(answer, { isText });
  watch();
}

// The question is over already, or the disk is full.
function refuse(answer, error) {
  if (!answer.isOpen || now.step.answer !== answer) return;
  // Signed while this tablet was silent, or at another one: the terminal knows which.
  if (error.code === "answered" && answer.level !== null) {
    finish("done");
    return;
  }
  answer.isOpen = false;
  now.ended = answer.prompt;
  fail(error);
}

export async function finish(how) {
  const { answer } = now.step;
  drafts.stop();
  answer.isOpen = false;
  answer.lang = stage.lang;
  now.ended = answer.prompt;
  await deliver("rating", `/kiosk/api/answers/${answer.id}/done`, answer.finished(how), how === "done");
}

// A choice that was taken back is heard there before: what stands at the terminal cannot be declined.
export function decline() {
  const { prompt } = now.step.question;
  now.step.answer.isOpen = false;
  drafts.whenKept(() => outbox.post(`/kiosk/api/prompts/${prompt}/decline`, {}, 0).catch(() => {}));
  now.ended = prompt;
  leave();
}

// Sends it until the terminal has it; `isWatched` when somebody waits for the thanks.
export async function deliver(kind, path, body, isWatched) {
  let thanks = null;
  const sent = outbox.post(path, body, isWatched ? WAIT_FOR_THANKS_MS : 0, (answer) => thankLate(thanks, answer));
  if (!isWatched) {
    sent.catch(() => {});
    return;
  }
  const { step } = now;
  const about = step.question ?? step.about ?? null;
  const { claim, comment, first } = step.answer ?? step;
  const patience = stage.large ? 2 : 1;
  now.step = { name: "saving" };
  idle.stop();
  stage.freeze();
  const slow = setTimeout(() => stage.show("saving"), SLOW_MS);
  try {
    const lasts = (kind === "complaint" ? config.thanks_complaint_s : config.thanks_rating_s) * patience;
    thanks = new Thanks(kind, { told: await sent, claim, about, comment: tidy(comment), first, lasts });
    present(thanks);
  } catch (error) {
    fail(error);
  } finally {
    clearTimeout(slow);
  }
}

// Whoever waits for paper is still there.
export function printSlip(thanks) {
  thanks.printSlip(stage.lang, () => {
    if (now.step !== thanks) return;
    const screen = document.querySelector("#stage .screen");
    thanks.drawPrint(screen);
    watch();
  });
}

// The connection is back while the customer still stands here: now there is a slip to take along.
function thankLate(thanks, answer) {
  if (thanks === null || now.step !== thanks) return;
  finger.afterwards("thanks", () => {
    if (now.step !== thanks) return;
    thanks.told = answer;
    present(thanks);
  });
}

function fail(error) {
  const lasts = config.thanks_rating_s * (stage.large ? 2 : 1);
  // Two customers tapped at once: nothing is wrong, and nothing is left to do here.
  if (error instanceof Refused && ELSEWHERE.has(error.code)) {
    present({ name: "elsewhere", draw: (screen) => fill(screen, { left: lasts }), lasts });
    return;
  }
  const why = error instanceof Refused && error.code === "store-full" ? "full" : "refused";
  const draw = (screen) => {
    screen.dataset.why = why;
    fill(screen, { left: lasts });
  };
  present({ name: "unsaved", draw, lasts });
}

// While somebody is here the terminal must not take the answer for a forgotten one.
setInterval(() => {
  if (isMine() && performance.now() - drafts.sentAt > KEEP_ALIVE_MS) drafts.keep(now.step.answer);
}, 2000);
