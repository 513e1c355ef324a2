// Pasted text may hold what the terminal refuses: control characters and turns of direction.

export function tidy(text) {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n]|[\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, " ").trim();
}

// Numbers as people type them: the full-width digits and dots of Chinese keyboards are plain ones.
export function halfWidth(text) {
  return text.normalize("NFKC").replaceAll("\u3002", ".").trim();
}
