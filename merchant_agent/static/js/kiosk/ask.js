// The question: five faces first, then reasons, single aspects and words, none of which is compulsory.

import { calm, fields, fill, radios, toggles } from "./stage.js";

const PANELS = ["reasons", "aspects", "comment"];

export class Ask {
  name = "ask";
  panel = "reasons";

  // `events`: onChange({isText}), called after every change of the answer.
  constructor(question, answer, events) {
    this.question = question;
    this.answer = answer;
    this.events = events;
    // After this page was loaded anew, what was given last is what is shown.
    if (answer.comment) this.panel = "comment";
    else if (Object.keys(answer.aspects).length > 0) this.panel = "aspects";
  }

  draw(screen) {
    this.screen = screen;
    fill(screen, { order: this.question.order });
    // While the terminal cannot sign there is no pass to answer elsewhere.
    const phone = screen.querySelector("[data-do=phone]");
    if (phone !== null) phone.hidden = this.question.invitation === null;
    this.markFace = radios(screen.querySelector(".faces"), this.answer.level, (level) => this.choose(level));
    toggles(screen, "tag", this.answer.tags, () => this.events.onChange({}));
    for (const row of screen.querySelectorAll("[data-aspect]")) {
      radios(row, this.answer.aspects[row.dataset.aspect] ?? null, (level) => {
        this.answer.aspects[row.dataset.aspect] = level;
        this.events.onChange({});
      });
    }
    fields(screen, this.answer, () => this.events.onChange({ isText: true }));
    this.arrange();
  }

  choose(level) {
    const isFirst = this.answer.level === null;
    this.answer.level = level;
    this.arrange();
    if (isFirst) calm(this.screen);
    this.events.onChange({});
  }

  retake() {
    this.answer.takeBack();
    this.panel = "reasons";
    this.events.onChange({});
  }

  toggle(panel) {
    this.panel = this.panel === panel ? "reasons" : panel;
    this.arrange();
    this.screen.querySelector(`[data-panel="${this.panel}"] :is(textarea, [role=radio], .chip)`)?.focus();
  }

  arrange() {
    this.screen.dataset.step = this.answer.level === null ? "first" : "more";
    for (const panel of PANELS) {
      this.screen.querySelector(`[data-panel="${panel}"]`).hidden = panel !== this.panel;
      this.screen.querySelector(`[data-do="${panel}"]`)?.setAttribute("aria-pressed", String(panel === this.panel));
    }
  }
}
