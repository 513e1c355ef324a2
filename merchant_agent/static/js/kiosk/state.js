// What the tablet knows at this moment, and what follows from it.

import { Ask } from "./ask.js";

export const config = JSON.parse(document.body.dataset.config);

const CALM = ["rest", "ended", "ask", "unconnected", "unpaired"];

// What the terminal last said; the question that this tablet is done with; the step on the stage.
export const now = {
  told: { kind: "rest", question: null },
  ended: "",
  step: { name: "rest" },
  isConnected: true,
};

export const question = () => (now.told.question && now.told.question.prompt !== now.ended ? now.told.question : null);
export const isMine = () => Boolean(now.step.answer?.isTouched);
// What stands there already stays as it is.
export const calmName = () => (now.told.kind === "ended" ? "ended" : "rest");
export const isShown = (asked) =>
  asked ? now.step instanceof Ask && now.step.question.prompt === asked : now.step.name === calmName();
export const isBusy = () => isMine() || !CALM.includes(now.step.name);
