/* Posts what stands behind # to this slip's page, with a key of this phone's where the browser makes one. */
"use strict";

(() => {
  const here = document.getElementById("claim");
  const claim = decodeURIComponent(location.hash.slice(1));
  if (!here || !/^[A-Za-z0-9_-]{14}$/.test(claim)) return;

  const text = (octets) =>
    btoa(String.fromCharCode(...new Uint8Array(octets))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const say = (which) => {
    for (const part of here.querySelectorAll("[data-say]")) part.hidden = part.dataset.say !== which;
  };

  /* A random name, kept where the browser keeps anything. */
  const name = () => {
    let found = null;
    try { found = localStorage.getItem("device"); } catch { /* it keeps nothing */ }
    if (!found) {
      found = text(crypto.getRandomValues(new Uint8Array(16)));
      try { localStorage.setItem("device", found); } catch { /* a new name each time, then */ }
    }
    return found;
  };

  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

  /* A key pair whose private half cannot leave this browser. */
  const keys = async () => {
    const opening = indexedDB.open("merchant-agent", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    const store = await asked(opening);
    const known = await asked(store.transaction("keys").objectStore("keys").get("device"));
    if (known) return known;
    const made = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    await asked(store.transaction("keys", "readwrite").objectStore("keys").put(made, "device"));
    return made;
  };

  const proof = async () => {
    if (!crypto.subtle || !window.indexedDB) return {};
    try {
      const pair = await keys();
      const message = new TextEncoder().encode(`merchant-agent/device/v1\n${here.dataset.slip}\n${claim}`);
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message);
      return { key: text(await crypto.subtle.exportKey("spki", pair.publicKey)), signature: text(signature) };
    } catch {
      return {};
    }
  };

  const open = async () => {
    const answer = await fetch(here.dataset.open, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": here.dataset.token },
      body: JSON.stringify({ claim, device: name(), ...(await proof()) }),
    });
    if (answer.ok) location.reload();
    else say(answer.status === 422 ? "wrong" : "failed");
  };

  open().catch(() => say("failed"));
})();
