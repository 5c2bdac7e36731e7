// Why somebody was signed out.
(() => {
  "use strict";
  const TEXTS = {
    idle: "Nobody had done anything for a while, so you were signed out here and in every other application.",
    locked: "The page is locked, and you are signed out here and in every other application. When you sign in again, you go on where you were.",
    ended: "Your session was ended: by its time, at another application, or because your account or your role has changed.",
  };
  const why = location.hash.slice(1) || sessionStorage.getItem("pacslab.why");
  sessionStorage.removeItem("pacslab.why");
  if (Object.hasOwn(TEXTS, why)) document.getElementById("why").textContent = TEXTS[why];
})();
