// Parts of a page that bring themselves up to date, and forms that ask before they send.

const EVERY_MS = 3000;
// These differ each time.
const FORM_TOKENS = /name="csrf_token" value="[^"]*"/g;

async function refresh(part) {
  const failed = document.querySelector("[data-refresh-failed]");
  try {
    const answer = await fetch(part.dataset.refresh, { cache: "no-store", redirect: "error" });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    failed.hidden = true;
    const seen = text.replace(FORM_TOKENS, "");
    // Whoever is about to press something in there, or reads it, keeps it.
    if (seen === part.seen || part.contains(document.activeElement)) return;
    part.seen = seen;
    const page = new DOMParser().parseFromString(text, "text/html");
    part.replaceChildren(...page.body.childNodes);
  } catch {
    failed.hidden = false;
  }
}

async function keepFresh(part) {
  for (;;) {
    await new Promise((done) => { setTimeout(done, EVERY_MS); });
    if (document.visibilityState === "visible") await refresh(part);
  }
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

for (const part of document.querySelectorAll("[data-refresh]")) keepFresh(part);
