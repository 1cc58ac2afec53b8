// The script of the sign-up and confirmation pages. They work without it, unless the owner asks for a proof of work.
"use strict";
(() => {
  const form = document.querySelector("form[data-when-here], form[data-proof]");
  if (!form) return;
  const button = form.querySelector("button[type=submit]");
  const bits = Number(form.dataset.proof || 0);

  // SHA-256 (FIPS 180-4). Not the browser's own, which is absent on pages without TLS and slow for short texts.
  const K = [], START = [];
  const fraction = (x) => ((x - Math.floor(x)) * 0x100000000) | 0;
  for (let n = 2; K.length < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    if (START.length < 8) START.push(fraction(Math.sqrt(n)));
    K.push(fraction(Math.cbrt(n)));
  }
  const turned = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Int32Array(64);
  const addBlock = (state, view, offset) => {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(offset + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      const s0 = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3), s1 = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25), s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
      const t = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const u = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
    }
    return [a, b, c, d, e, f, g, h].map((value, i) => (value + state[i]) | 0);
  };
  const zeroBits = (bytes) => {
    const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, bytes.length * 8);
    let state = START;
    for (let offset = 0; offset < padded.length; offset += 64) state = addBlock(state, view, offset);
    return state[0] === 0 ? 32 : Math.clz32(state[0]);
  };

  const work = (done) => {
    const value = (name) => form.elements.namedItem(name).value;
    const start = `${value("token")}:${value("email").trim()}:`;
    const encoder = new TextEncoder();
    let proof = 0;
    const some = () => {
      for (const until = performance.now() + 40; performance.now() < until; proof++) {
        if (zeroBits(encoder.encode(start + proof)) >= bits) return done(String(proof));
      }
      return setTimeout(some);  // the page stays usable meanwhile
    };
    some();
  };

  let working = false;
  if (bits) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (working) return;
      working = true;
      button.textContent = form.dataset.working || button.textContent;
      button.setAttribute("aria-busy", "true");
      work((proof) => {
        form.elements.namedItem("proof").value = proof;
        form.submit();
      });
    });
  }

  // Send the form by itself once a person has looked at the page for a moment, unless they begin to fill it in. Mail
  // scanners that follow links load a page, but hardly any shows it in a window that has the focus.
  const wait = Number(form.dataset.whenHere || 0);
  if (wait) {
    let seen = 0;
    const watch = setInterval(() => {
      const here = document.visibilityState === "visible" && document.hasFocus() && !document.prerendering;
      seen = here ? seen + 250 : 0;
      if (seen >= wait) {
        clearInterval(watch);
        form.requestSubmit(button);
      }
    }, 250);
    for (const sign of ["input", "submit"]) form.addEventListener(sign, () => clearInterval(watch));
  }
})();
