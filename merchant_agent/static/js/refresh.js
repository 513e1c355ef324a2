// Parts of a page that bring themselves up to date, and forms that ask before they send.
//
// What is fetched replaces the whole of a [data-refresh], or in it each [data-part] that came.

const EVERY_MS = 3000;
// These differ each time.
const FORM_TOKENS = /name="csrf_token" value="[^"]*"/g;

async function refresh(root) {
  const failed = document.querySelector("[data-refresh-failed]");
  try {
    const answer = await fetch(root.dataset.refresh, { cache: "no-store", redirect: "error" });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    failed.hidden = true;
    const parts = page.querySelectorAll("[data-part]");
    if (parts.length === 0) replace(root, page.body);
    for (const part of parts) replace(root.querySelector(`[data-part="${part.dataset.part}"]`), part);
  } catch {
    failed.hidden = false;
  }
}

function replace(shown, fresh) {
  const seen = fresh.innerHTML.replace(FORM_TOKENS, "");
  // Whoever is about to press something in there, or reads it, keeps it.
  if (seen === shown.seen || shown.contains(document.activeElement)) return;
  shown.seen = seen;
  shown.replaceChildren(...fresh.childNodes);
}

async function keepFresh(root) {
  for (;;) {
    await new Promise((done) => { setTimeout(done, EVERY_MS); });
    if (document.visibilityState === "visible") await refresh(root);
  }
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

for (const root of document.querySelectorAll("[data-refresh]")) keepFresh(root);
