// Verifies and signs compact JWS with jose: one JSON task a line in, one answer a line out.
import { createInterface } from "node:readline";
import { CompactSign, base64url, compactVerify, importJWK } from "jose";

async function verify({ jws, jwk }) {
  const key = await importJWK(jwk, "Ed25519");
  const { payload, protectedHeader } = await compactVerify(jws, key, { algorithms: ["Ed25519"] });
  return { payload: base64url.encode(payload), header: protectedHeader };
}

async function sign({ payload, header, jwk }) {
  const key = await importJWK(jwk, "Ed25519");
  return { jws: await new CompactSign(base64url.decode(payload)).setProtectedHeader(header).sign(key) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  try {
    console.log(JSON.stringify(await ("jws" in task ? verify(task) : sign(task))));
  } catch (error) {
    console.log(JSON.stringify({ error: error.code ?? String(error) }));
  }
}
