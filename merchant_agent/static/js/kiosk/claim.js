// What the customer alone takes along: 80 random bits. The terminal is told their hash and nothing else,
// so that nobody at the shop can open the slip as its owner does. Plain HTTP has no crypto.subtle.
// Source: PROTOCOL.md, "Slip".

import { sha256 } from "../../vendor/noble-hashes-2.4.0/sha2.js";

const BYTES = 10;
const DOMAIN = new TextEncoder().encode("merchant-agent/claim/v1\n");

const encode = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

export class Claim {
  #text;

  constructor() {
    const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
    this.#text = encode(bytes);
    this.hash = encode(sha256(new Uint8Array([...DOMAIN, ...bytes])));
  }

  // The slip's address with the claim behind `#`, which no server is told. Another claim's hash may be
  // what was signed, after this page was loaded anew: then the slip goes without.
  behind({ slip, claim }) {
    return claim === this.hash ? `${slip}#${this.#text}` : slip;
  }
}
