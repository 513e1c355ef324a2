// The tablet: decides which screen is shown, and what every tap does.
//
// The terminal says which question is asked; whoever began to answer, complain or suggest is never
// interrupted by it. Nothing is put into the browser's history, so there is nothing to go back to.

import { Refused } from "./api.js";
import { Answer } from "./answer.js";
import { Ask } from "./ask.js";
import { Drafts } from "./drafts.js";
import { Finger } from "./finger.js";
import { Idle } from "./idle.js";
import { Link } from "./link.js";
import { beginAnew } from "./memory.js";
import { Outbox } from "./outbox.js";
import { Phone } from "./phone.js";
import { Stage, calm, fill } from "./stage.js";
import { Thanks } from "./thanks.js";
import { hearTime } from "./time.js";
import { tidy } from "./text.js";
import { Voice } from "./voice.js";
import { Complain, Suggest } from "./words.js";

const WAIT_FOR_THANKS_MS = 5000;
const SLOW_MS = 300;
const KEEP_ALIVE_MS = 6000;
const COUNTDOWN_S = 10;
const ELSEWHERE = new Set(["answered-elsewhere", "answered"]);

const config = JSON.parse(document.body.dataset.config);
const stage = new Stage(config.lang);
const outbox = new Outbox(() => link.doubt());
const drafts = new Drafts({
  onRefused: (answer, error) => refuse(answer, error),
  onUnreached: () => link.doubt(),
});
// Before everything else that listens to taps.
const finger = new Finger();
const idle = new Idle((left) => finger.afterwards("countdown", () => countDown(left)));
const voice = new Voice({ onChange: () => dressTop(), onWord: () => idle.touch() });
const link = new Link({
  onScreen: (screen, askedAt) => finger.afterwards("screen", () => hear(screen, askedAt)),
  onLost: () => finger.afterwards("connection", () => lose()),
  onFound: () => find(),
  onUnpaired: () => finger.afterwards("screen", () => unpair()),
});

// What the terminal last said; questions that this tablet is done with; the step on the stage.
let told = { kind: "rest", question: null };
let ended = "";
let step = { name: "rest" };
let isConnected = true;

const question = () => (told.question && told.question.prompt !== ended ? told.question : null);
const isMine = () => Boolean(step.answer?.isTouched);
// What stands there already stays as it is.
const calmName = () => (told.kind === "ended" ? "ended" : "rest");
const isShown = (asked) => (asked ? step instanceof Ask && step.question.prompt === asked : step.name === calmName());
const isBusy = () => isMine() || !["rest", "ended", "ask", "unconnected", "unpaired"].includes(step.name);

function present(next) {
  step = next;
  idle.stop();
  voice.stop();
  const screen = stage.show(step.name);
  dress(screen);
  watch();
}

// Draws the present step again where only language or size changed; the keyboard stays where it was.
function redraw() {
  const pressed = document.activeElement?.dataset.do;
  voice.stop();
  dress(stage.show(step.name, { isSame: true }));
  if (pressed) document.querySelector(`[data-do="${pressed}"]`)?.focus({ preventScroll: true });
}

function dress(screen) {
  step.draw?.(screen);
  dressTop();
  tellConnection();
}

// Reading aloud is offered where the device has a voice for the language.
function dressTop() {
  const read = document.querySelector("[data-do=read]");
  if (read === null) return;
  read.hidden = voice.voiceFor(stage.lang) === null;
  read.setAttribute("aria-pressed", String(voice.isReading));
  document.querySelector("[data-do=large]").setAttribute("aria-pressed", String(stage.large));
}

// The step that nobody has begun: the question, or rest.
function settle() {
  if (!isConnected) {
    present({ name: "unconnected" });
    return;
  }
  const asked = question();
  if (asked === null) {
    rest();
    return;
  }
  const isHeld = asked.held !== null && asked.held !== undefined;
  const answer = isHeld ? Answer.held(asked, stage.lang) : new Answer(asked, stage.lang);
  ask(asked, answer);
}

function ask(asked, answer) {
  present(new Ask(asked, answer, { onChange: (change) => keep(answer, change) }));
}

// One customer has left: language and size are the next one's own.
function rest() {
  stage.lang = config.lang;
  stage.large = false;
  present({ name: calmName() });
}

function leave() {
  stage.lang = config.lang;
  stage.large = false;
  settle();
}

// --- What the terminal tells

function hear(screen, askedAt) {
  told = screen;
  hearTime(screen.at);
  if (told.question?.prompt !== ended) ended = "";
  const asked = question()?.prompt;
  if (isMine()) hearMine(asked, askedAt);
  else if (isBusy() || isShown(asked)) return;
  // Another question stood here: whoever chose a language for it has gone.
  else if (step instanceof Ask) leave();
  else settle();
}

// Another question, or none, while somebody answers this one.
function hearMine(asked, askedAt) {
  const isHeldThere = drafts.sentAt > step.answer.shownAt;
  if (asked === step.answer.prompt || !isHeldThere) return;
  // The terminal may not have known yet that somebody answers.
  if (askedAt < drafts.sentAt) {
    link.again();
    return;
  }
  // It ended what somebody left here: it was signed there as it stood. Whoever still writes is
  // told what became of the words.
  if (drafts.isBehind && step.answer.level !== null) {
    finish("done");
    return;
  }
  drafts.stop();
  step.answer.isOpen = false;
  leave();
}

function lose() {
  if (link.isUp) return;
  isConnected = false;
  if (isBusy()) tellConnection();
  else present({ name: "unconnected" });
}

// The screen that the terminal tells of next is shown by `hear`.
function find() {
  isConnected = true;
  outbox.flush();
  if (isBusy()) tellConnection();
}

function unpair() {
  isConnected = false;
  told = { kind: "rest", question: null };
  if (step.name !== "unpaired") present({ name: "unpaired" });
}

function tellConnection() {
  stage.showStrip(!isConnected && isBusy() && !step.lasts ? "unconnected-strip" : null);
}

// --- The answer

function keep(answer, { isText = false }) {
  answer.isTouched = true;
  answer.lang = stage.lang;
  drafts.keep(answer, { isText });
  watch();
}

// The question is over already, or the disk is full.
function refuse(answer, error) {
  if (!answer.isOpen || step.answer !== answer) return;
  // Signed while this tablet was silent, or at another one: the terminal knows which.
  if (error.code === "answered" && answer.level !== null) {
    finish("done");
    return;
  }
  answer.isOpen = false;
  ended = answer.prompt;
  fail(error);
}

function settleAfter(prompt) {
  ended = prompt;
  leave();
}

async function finish(how) {
  const { answer } = step;
  drafts.stop();
  answer.isOpen = false;
  answer.lang = stage.lang;
  ended = answer.prompt;
  await deliver("rating", `/kiosk/api/answers/${answer.id}/done`, answer.finished(how), how === "done");
}

// A choice that was taken back is heard there before: what stands at the terminal cannot be declined.
function decline() {
  const { prompt } = step.question;
  step.answer.isOpen = false;
  drafts.whenKept(() => outbox.post(`/kiosk/api/prompts/${prompt}/decline`, {}, 0).catch(() => {}));
  settleAfter(prompt);
}

// Sends it until the terminal has it; `isWatched` when somebody waits for the thanks.
async function deliver(kind, path, body, isWatched) {
  let thanks = null;
  const sent = outbox.post(path, body, isWatched ? WAIT_FOR_THANKS_MS : 0, (answer) => thankLate(thanks, answer));
  if (!isWatched) {
    sent.catch(() => {});
    return;
  }
  const about = step.question ?? step.about ?? null;
  const { claim, comment, first } = step.answer ?? step;
  const patience = stage.large ? 2 : 1;
  step = { name: "saving" };
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
function printSlip(thanks) {
  thanks.printSlip(stage.lang, () => {
    if (step !== thanks) return;
    const screen = document.querySelector("#stage .screen");
    thanks.drawPrint(screen);
    watch();
  });
}

// The connection is back while the customer still stands here: now there is a slip to take along.
function thankLate(thanks, answer) {
  if (thanks === null || step !== thanks) return;
  finger.afterwards("thanks", () => {
    if (step !== thanks) return;
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

// --- Words

function begin(make) {
  const about = step.question ?? step.about ?? question();
  if (isMine() && step.answer.level !== null) finish("left");
  const next = make(about ?? null, step.unkept || (step instanceof Suggest ? step.comment : ""));
  next.about = about;
  present(next);
}

// What was written is gone for good only after a second tap.
function cancel() {
  if (step.isEntered) present({ name: "discard", kept: step });
  else leave();
}

function sendWords(kind) {
  step.lang = stage.lang;
  return deliver(kind, step.path, step.body(), true);
}

function turnTo(panel) {
  step.toggle(panel);
  watch();
}

function goBack() {
  if (step instanceof Complain) turn(-step.behind);
  else if (step.kept) present(step.kept);
  else ask(step.question, step.answer);
}

function turn(by) {
  step.step += by;
  present(step);
}

// The question is this customer's until they have scanned it: no sale takes the code away meanwhile.
// What was tapped here is taken back: it would count beside what the phone says.
function invite() {
  const { question: asked, answer } = step;
  answer.takeBack();
  keep(answer, {});
  present(new Phone({ name: "phone", url: asked.invitation, question: asked, answer }));
}

// A complaint that is better written on the own phone; what stands here is deleted once it was scanned.
function handOver() {
  const url = step.about?.invitation ?? config.poster;
  present(new Phone({ name: "complain-phone", url, question: step.about, kept: step }));
}

// --- What closes by itself

function watch() {
  const patience = stage.large || step.panel === "comment" ? 2 : 1;
  const isChanged = stage.large || stage.lang !== config.lang;
  if (step.lasts) idle.start(step.lasts, step.lasts, () => leave());
  else if (step.name === "phone") idle.start(config.idle_complaint_s * patience, COUNTDOWN_S, () => decline());
  else if (isMine()) idle.start(config.idle_rating_s * patience, COUNTDOWN_S, () => endIdle());
  else if (isBusy()) idle.start(config.idle_complaint_s * patience, COUNTDOWN_S * 2, () => leave());
  else if (isChanged) idle.start(config.idle_complaint_s, 0, () => leave());
  else idle.stop();
}

function endIdle() {
  const { answer } = step;
  if (answer.level === null) {
    drafts.stop();
    answer.isOpen = false;
    ended = answer.prompt;
  } else finish("idle");
  leave();
}

function countDown(left) {
  if (step.lasts) {
    if (left !== null) stage.count(left);
  } else if (left === null) tellConnection();
  else stage.showStrip("countdown", { left });
}

// While somebody is here the terminal must not take the answer for a forgotten one.
setInterval(() => {
  if (isMine() && performance.now() - drafts.sentAt > KEEP_ALIVE_MS) drafts.keep(step.answer);
}, 2000);

// --- Taps

const taps = {
  lang: () => {
    stage.lang = stage.lang === "zh" ? "en" : "zh";
    redraw();
    watch();
  },
  large: () => {
    stage.large = !stage.large;
    redraw();
    watch();
  },
  stay: () => {
    if (isMine()) drafts.keep(step.answer);
    watch();
  },
  read: () => (voice.isReading ? voice.stop() : voice.read(stage.lang)),
  pair: () => location.replace("/kiosk/pair"),
  print: () => printSlip(step),
  leave: () => leave(),
  complain: () => begin((about, words) => new Complain(about, stage.lang, words)),
  suggest: () => begin((about, words) => new Suggest(about, stage.lang, words)),
  cancel: () => cancel(),
  keep: () => present(step.kept),
  discard: () => leave(),
  retake: () => {
    step.retake();
    redraw();
    calm(document.querySelector("#stage .screen"));
    window.scrollTo(0, 0);
    document.querySelector(".faces [tabindex='0']").focus({ preventScroll: true });
  },
  aspects: () => turnTo("aspects"),
  comment: () => turnTo("comment"),
  done: () => finish("done"),
  decline: () => decline(),
  phone: () => (step instanceof Complain ? handOver() : invite()),
  scanned: () => (step.answer ? decline() : leave()),
  back: () => goBack(),
  more: () => step.showMore(),
  next: () => {
    if (step.check()) turn(step.ahead);
  },
  number: () => {
    if (step.check()) turn(1);
  },
  send: ({ first }) => {
    if (first) step.first = first;
    if (step.check()) sendWords(step instanceof Complain ? "complaint" : "suggestion");
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) taps[button.dataset.do](button.dataset);
});
document.addEventListener("contextmenu", (event) => event.preventDefault());

beginAnew();
present({ name: "rest" });
outbox.flush();
link.run();
