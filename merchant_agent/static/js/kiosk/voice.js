// Reads a screen aloud with a voice that the device itself has. Never what somebody chose, typed or
// was given: others stand by. A voice from the network would tell it where people are; it is not used.

import { stage as place } from "./stage.js";

const LOCALES = { zh: /^(zh|cmn)/i, en: /^en/i };
const SPOKEN = "h1, h2, p, label, .face span, .chip, .choice > *, .bottom .button, .aspect > span";
// What was chosen or typed is in none of these.
const UNSPOKEN = "[data-unspoken], [data-step=more] :is(.faces, h1, .lead), :is(h1, h2) label, [aria-hidden=true]";
const RATE = 0.9;

// Without the small print of a button: `OK (12)` counts down.
const words = (element) => {
  const copy = element.cloneNode(true);
  for (const slot of copy.querySelectorAll("[data-slot=left], .heard, [hidden]")) slot.remove();
  return copy.textContent.replace(/[()\s]+/g, " ").trim();
};

export class Voice {
  // `onChange()` when a voice appears, or reading begins or ends; `onWord()` while it reads.
  constructor({ onChange, onWord }) {
    this.onChange = onChange;
    this.onWord = onWord;
    this.engine = window.speechSynthesis ?? null;
    this.turn = 0;
    this.isReading = false;
    this.engine?.addEventListener?.("voiceschanged", () => onChange());
  }

  voiceFor(lang) {
    const voices = this.engine?.getVoices() ?? [];
    return voices.find((voice) => voice.localService && LOCALES[lang].test(voice.lang)) ?? null;
  }

  read(lang) {
    const voice = this.voiceFor(lang);
    if (voice === null) return;
    this.stop();
    const turn = this.turn;
    const texts = [...place.querySelectorAll(SPOKEN)]
      .filter((element) => element.closest(UNSPOKEN) === null && element.checkVisibility())
      .map(words)
      .filter(Boolean);
    this.isReading = texts.length > 0;
    this.onChange();
    const next = ([text, ...rest]) => {
      if (turn !== this.turn) return;
      if (text === undefined) {
        this.stop();
        return;
      }
      this.onWord();
      const said = new SpeechSynthesisUtterance(text);
      Object.assign(said, { voice, lang: voice.lang, rate: RATE, onend: () => next(rest), onerror: () => next([]) });
      this.engine.speak(said);
    };
    next(texts);
  }

  stop() {
    this.turn += 1;
    if (!this.isReading) return;
    this.isReading = false;
    this.engine.cancel();
    this.onChange();
  }
}
