// Which screen is shown, in which language and size, and what closes by itself.

import { Answer } from "./answer.js";
import { Ask } from "./ask.js";
import { decline, drafts, finish, keep } from "./delivery.js";
import { Finger } from "./finger.js";
import { Idle } from "./idle.js";
import { Stage } from "./stage.js";
import { calmName, config, isBusy, isMine, now, question } from "./state.js";
import { Voice } from "./voice.js";

const COUNTDOWN_S = 10;

export const stage = new Stage(config.lang);
// Before everything else that listens to taps.
export const finger = new Finger();
export const idle = new Idle((left) => finger.afterwards("countdown", () => countDown(left)));
export const voice = new Voice({ onChange: () => dressTop(), onWord: () => idle.touch() });

export function present(next) {
  now.step = next;
  idle.stop();
  voice.stop();
  const screen = stage.show(next.name);
  dress(screen);
  watch();
}

// Draws the present step again where only language or size changed; the keyboard stays where it was.
export function redraw() {
  const pressed = document.activeElement?.dataset.do;
  voice.stop();
  dress(stage.show(now.step.name, { isSame: true }));
  if (pressed) document.querySelector(`[data-do="${pressed}"]`)?.focus({ preventScroll: true });
}

function dress(screen) {
  now.step.draw?.(screen);
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
export function settle() {
  if (!now.isConnected) {
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

export function ask(asked, answer) {
  present(new Ask(asked, answer, { onChange: (change) => keep(answer, change) }));
}

function rest() {
  forget();
  present({ name: calmName() });
}

export function leave() {
  forget();
  settle();
}

// One customer has left: language and size are the next one's own.
function forget() {
  stage.lang = config.lang;
  stage.large = false;
  stage.unzoom();
}

export function tellConnection() {
  stage.showStrip(!now.isConnected && isBusy() && !now.step.lasts ? "unconnected-strip" : null);
}

export function watch() {
  const { step } = now;
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
  const { answer } = now.step;
  if (answer.level === null) {
    drafts.stop();
    answer.isOpen = false;
    now.ended = answer.prompt;
  } else finish("idle");
  leave();
}

function countDown(left) {
  if (now.step.lasts) {
    if (left !== null) stage.count(left);
  } else if (left === null) tellConnection();
  else stage.showStrip("countdown", { left });
}
