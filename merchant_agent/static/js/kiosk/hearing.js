// What the terminal tells, and whether it can be heard at all.
//
// Whoever began to answer, complain or suggest is never interrupted by it.

import { Ask } from "./ask.js";
import { drafts, finish, outbox } from "./delivery.js";
import { Link } from "./link.js";
import { finger, leave, present, settle, stage, tellConnection } from "./scene.js";
import { config, isBusy, isMine, isShown, now, question } from "./state.js";
import { hearTime } from "./time.js";

const RENEWED = "renewed";

export const link = new Link({
  onScreen: (screen, askedAt) => finger.afterwards("screen", () => hear(screen, askedAt)),
  onLost: () => finger.afterwards("connection", () => lose()),
  onFound: () => find(),
  onUnpaired: () => finger.afterwards("screen", () => unpair()),
});

function hear(screen, askedAt) {
  now.told = screen;
  hearTime(screen.at);
  if (renew(screen.page)) return;
  if (now.told.question?.prompt !== now.ended) now.ended = "";
  const asked = question()?.prompt;
  if (isMine()) hearMine(asked, askedAt);
  else if (isBusy() || isShown(asked)) return;
  // Another question stood here: whoever chose a language for it has gone.
  else if (now.step instanceof Ask) leave();
  else settle();
}

// What the page is made of has changed, such as a promise of the shop's: it is loaded anew while nobody uses it,
// and no second time for the same change.
function renew(page) {
  const isUsed = now.step.name !== "rest" || question() !== null || stage.large || stage.lang !== config.lang;
  if (page === config.page || isUsed || sessionStorage.getItem(RENEWED) === page) return false;
  sessionStorage.setItem(RENEWED, page);
  location.reload();
  return true;
}

// Another question, or none, while somebody answers this one.
function hearMine(asked, askedAt) {
  const { answer } = now.step;
  const isHeldThere = drafts.sentAt > answer.shownAt;
  if (asked === answer.prompt || !isHeldThere) return;
  // The terminal may not have known yet that somebody answers.
  if (askedAt < drafts.sentAt) {
    link.again();
    return;
  }
  // It ended what somebody left here: it was signed there as it stood. Whoever still writes is
  // told what became of the words.
  if (drafts.isBehind && answer.level !== null) {
    finish("done");
    return;
  }
  drafts.stop();
  answer.isOpen = false;
  leave();
}

function lose() {
  if (link.isUp) return;
  now.isConnected = false;
  if (isBusy()) tellConnection();
  else present({ name: "unconnected" });
}

// The screen that the terminal tells of next is shown by `hear`.
function find() {
  now.isConnected = true;
  outbox.flush();
  if (isBusy()) tellConnection();
}

function unpair() {
  now.isConnected = false;
  now.told = { kind: "rest", question: null };
  if (now.step.name !== "unpaired") present({ name: "unpaired" });
}
