// Whether the sign-on answers is found out before the browser is sent there, so that a person is told by a page of ours.
(() => {
  "use strict";
  const settings = window.pacslabSession;
  document.getElementById("sign-in").addEventListener("click", async () => {
    const trouble = document.getElementById("trouble");
    trouble.textContent = "";
    try {
      await fetch(settings.signOn, { mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(5000) });
    } catch {
      trouble.textContent = "The sign-on does not answer. Try again in a minute. If it lasts, call the service desk; in an emergency use the reading workstation.";
      return;
    }
    document.cookie = "__Host-sign-in=now; Secure; Path=/; SameSite=Strict; Max-Age=10";
    location.reload();
  });
})();
