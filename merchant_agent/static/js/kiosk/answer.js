// What one customer says about one sale, until it is finished.

import { Claim } from "./claim.js";
import { newId } from "./ids.js";
import { tidy } from "./text.js";

export class Answer {
  constructor(question, lang) {
    this.id = newId();
    this.claim = new Claim();
    this.prompt = question.prompt;
    this.level = null;
    this.tags = [];
    this.aspects = {};
    this.comment = "";
    this.lang = lang;
    this.isTouched = false;
    this.isOpen = true;
    this.shownAt = performance.now();
  }

  // What the terminal kept of it: after this page was loaded again in the middle.
  static held(question, lang) {
    const answer = new Answer(question, lang);
    const { answer: id, level, tags, aspects, comment } = question.held;
    if (id) answer.id = id;
    Object.assign(answer, { level, tags: [...tags], aspects: { ...aspects }, comment, isTouched: true });
    return answer;
  }

  body() {
    const { prompt, level, tags, aspects, comment, lang } = this;
    return { prompt, level, tags, aspects, comment: tidy(comment), lang, claim: this.claim.hash };
  }

  // A choice taken back takes everything back that hung on it.
  takeBack() {
    Object.assign(this, { level: null, tags: [], aspects: {}, comment: "" });
  }

  finished(ended) {
    return { ...this.body(), ended, dwell_ms: Math.round(performance.now() - this.shownAt) };
  }
}
