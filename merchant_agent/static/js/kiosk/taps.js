// What every tap does.

import { decline, deliver, drafts, finish, keep, printSlip } from "./delivery.js";
import { Phone } from "./phone.js";
import { ask, leave, present, redraw, stage, voice, watch } from "./scene.js";
import { calm } from "./stage.js";
import { config, isMine, now, question } from "./state.js";
import { Complain, Suggest } from "./words.js";

function begin(make) {
  const { step } = now;
  const about = step.question ?? step.about ?? question();
  if (isMine() && step.answer.level !== null) finish("left");
  const next = make(about ?? null, step.unkept || (step instanceof Suggest ? step.comment : ""));
  next.about = about;
  present(next);
}

// What was written is gone for good only after a second tap.
function cancel() {
  if (now.step.isEntered) present({ name: "discard", kept: now.step });
  else leave();
}

function sendWords(kind) {
  const { step } = now;
  step.lang = stage.lang;
  return deliver(kind, step.path, step.body(), true);
}

function turnTo(panel) {
  now.step.toggle(panel);
  watch();
}

function goBack() {
  const { step } = now;
  if (step instanceof Complain) turn(-step.behind);
  else if (step.kept) present(step.kept);
  else ask(step.question, step.answer);
}

function turn(by) {
  now.step.step += by;
  present(now.step);
}

// The question is this customer's until they have scanned it: no sale takes the code away meanwhile.
// What was tapped here is taken back: it would count beside what the phone says.
function invite() {
  const { question: asked, answer } = now.step;
  answer.takeBack();
  keep(answer, {});
  present(new Phone({ name: "phone", url: asked.invitation, question: asked, answer }));
}

// A complaint that is better written on the own phone; what stands here is deleted once it was scanned.
function handOver() {
  const { step } = now;
  const url = step.about?.invitation ?? config.poster;
  present(new Phone({ name: "complain-phone", url, question: step.about, kept: step }));
}

function retake() {
  now.step.retake();
  redraw();
  calm(document.querySelector("#stage .screen"));
  window.scrollTo(0, 0);
  document.querySelector(".faces [tabindex='0']").focus({ preventScroll: true });
}

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
    if (isMine()) drafts.keep(now.step.answer);
    watch();
  },
  read: () => (voice.isReading ? voice.stop() : voice.read(stage.lang)),
  pair: () => location.replace("/kiosk/pair"),
  print: () => printSlip(now.step),
  leave: () => leave(),
  complain: () => begin((about, words) => new Complain(about, stage.lang, words)),
  suggest: () => begin((about, words) => new Suggest(about, stage.lang, words)),
  cancel: () => cancel(),
  keep: () => present(now.step.kept),
  discard: () => leave(),
  retake: () => retake(),
  aspects: () => turnTo("aspects"),
  comment: () => turnTo("comment"),
  done: () => finish("done"),
  decline: () => decline(),
  phone: () => (now.step instanceof Complain ? handOver() : invite()),
  scanned: () => (now.step.answer ? decline() : leave()),
  back: () => goBack(),
  more: () => now.step.showMore(),
  next: () => {
    if (now.step.check()) turn(now.step.ahead);
  },
  number: () => {
    if (now.step.check()) turn(1);
  },
  send: ({ first }) => {
    if (first) now.step.first = first;
    if (now.step.check()) sendWords(now.step instanceof Complain ? "complaint" : "suggestion");
  },
};

export function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) taps[button.dataset.do](button.dataset);
  });
  document.addEventListener("contextmenu", (event) => event.preventDefault());
}
