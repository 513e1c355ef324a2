/* Ticks what was chosen on the tablet: it stands behind # as codes of the catalogue, `#what=a.b&want=c`, and is forgotten at once. */
"use strict";

(() => {
  const { hash } = location;
  if (!/^#(what|want)=/.test(hash)) return;
  history.replaceState(null, "", location.pathname + location.search);
  const brought = new URLSearchParams(hash.slice(1));
  let isTicked = false;
  for (const [name, field] of [["what", "category"], ["want", "remedy"]]) {
    const codes = new Set((brought.get(name) ?? "").split("."));
    // A code that this form does not have finds no box.
    for (const box of document.querySelectorAll(`input[name=${field}]`)) {
      if (!codes.has(box.value)) continue;
      isTicked = box.checked = true;
      const others = box.closest("details");
      if (others !== null) others.open = true;
    }
  }
  if (!isTicked) return;
  document.querySelector("[data-brought]").hidden = false;
  // The page in the other language is loaded anew.
  for (const link of document.querySelectorAll(".site-nav a[hreflang]")) link.href += hash;
})();
