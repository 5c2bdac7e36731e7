// The page's side of a session: a warning before it ends, a lock that hides the images, access in an emergency, and
// what the gateway says when it refuses. Times and the sign-on's address come from /pages/settings.js.
(() => {
  "use strict";

  const settings = window.pacslabSession; // seconds: idle, warn, poll, unknown; logout: where the sign-on ends sessions
  const INFO = "/sign-on/callback?info=json&extend_session=false";
  const LOCAL_LOGOUT = "/sign-on/callback?logout=get";
  const ACTIVITY = "pacslab.activity"; // when somebody was last active in any tab, in milliseconds since 1970
  const RETURN = "pacslab.return"; // where the person who locked the page goes on
  const EVENTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

  let person = null;
  let leaving = false;
  let confirmed = Date.now(); // when the server last said that the session is there
  let renewed = Date.now(); // when a request last extended it

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  const lastActivity = () => Number(localStorage.getItem(ACTIVITY)) || 0;
  const isActive = () => {
    if (!leaving) localStorage.setItem(ACTIVITY, String(Date.now()));
  };

  // Nothing of the page is seen or reached any more; what was drawn goes with the page that is left.
  const cover = text => {
    document.documentElement.classList.add("pacslab-covered");
    let curtain = document.getElementById("pacslab-curtain");
    if (!curtain) {
      curtain = make("div", { id: "pacslab-curtain", role: "status" });
      document.body.append(curtain);
    }
    curtain.textContent = text;
  };
  const uncover = () => {
    document.documentElement.classList.remove("pacslab-covered");
    document.getElementById("pacslab-curtain")?.remove();
  };

  // Leave: the session ends here at once, and at the sign-on with all other applications' sessions.
  const leave = async (why, text) => {
    if (leaving) return;
    leaving = true;
    cover(text);
    sessionStorage.removeItem(RETURN);
    if (why === "locked") sessionStorage.setItem(RETURN, JSON.stringify({ person, path: location.pathname + location.search }));
    const target = `${location.origin}/signed-out`;
    let hint = null;
    try {
      const answer = await fetch(INFO, { cache: "no-store" });
      if (answer.ok) hint = (await answer.json()).id_token_hint;
      await fetch(LOCAL_LOGOUT, { cache: "no-store" });
    } catch {
      // the sign-on, or the person's next visit here, finds out
    }
    if (!hint) {
      location.replace(`${target}#${why}`);
      return;
    }
    // By POST, so that no token stands in an address (OpenID Connect RP-Initiated Logout 1.0, 2).
    const form = make("form", { method: "post", action: settings.logout });
    for (const [name, value] of Object.entries({ id_token_hint: hint, post_logout_redirect_uri: target })) {
      form.append(make("input", { type: "hidden", name, value }));
    }
    sessionStorage.setItem("pacslab.why", why);
    document.body.append(form);
    form.submit();
  };

  const ended = () => {
    if (leaving) return;
    leaving = true;
    cover("You are signed out.");
    location.replace("/signed-out#ended");
  };

  // Ask whether the session is there, without extending it; extend it while somebody is active.
  const ask = async () => {
    if (leaving) return;
    try {
      const answer = await fetch(INFO, { cache: "no-store" });
      if (answer.status === 401) return ended();
      if (answer.ok) {
        confirmed = Date.now();
        uncover();
      }
    } catch {
      // told below, when it lasts
    }
    if (!leaving && Date.now() - confirmed > settings.unknown * 1000) cover("The viewer does not answer, so nobody can say whether you are still signed in. Please wait.");
    if (!leaving && lastActivity() > renewed) {
      renewed = Date.now();
      await session();
    }
  };

  const session = async () => {
    try {
      const answer = await fetch("/gateway/session", { cache: "no-store" });
      if (answer.status === 401) return ended();
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  // Idle: scrolling through images that are loaded sends no request, so the page watches the person itself.
  const warning = make(
    "div",
    { id: "pacslab-warning", role: "alertdialog", "aria-live": "assertive", hidden: "" },
    make("p", { id: "pacslab-countdown" }),
    make("button", { type: "button", onclick: isActive }, "Stay signed in"),
  );
  const watch = () => {
    const left = settings.idle - (Date.now() - lastActivity()) / 1000;
    if (left <= 0) return leave("idle", "You are being signed out.");
    warning.hidden = left > settings.warn;
    if (!warning.hidden) document.getElementById("pacslab-countdown").textContent = `Nobody has done anything here. You are signed out in ${Math.ceil(left)} s.`;
  };

  // What the gateway says of a request that it refuses, or answers in part.
  const notice = make("div", { id: "pacslab-notice", role: "alert", hidden: "" });
  const tell = (text, offer) => {
    notice.replaceChildren(make("span", {}, text), make("button", { type: "button", onclick: () => (notice.hidden = true) }, "Close"));
    if (offer) notice.append(make("button", { type: "button", onclick: () => emergency.showModal() }, "Emergency access"));
    notice.hidden = false;
  };
  const listen = request => {
    if (!new URL(request.responseURL || location.href).pathname.startsWith("/dicom-web/")) return;
    if (request.status === 401) return ended();
    if (request.status < 400) {
      const note = request.getResponseHeader("Warning")?.match(/^299 pacslab "(.*)"$/);
      if (note) tell(`Not everything is shown: ${note[1]}.`);
      return;
    }
    let said = {};
    try {
      said = JSON.parse(typeof request.response === "string" ? request.response : new TextDecoder().decode(request.response));
    } catch {
      // an answer of the web server's own
    }
    const known = request.status === 403 || request.status === 503;
    const text = said.message || (known ? "The gateway to the archives does not answer." : "");
    if (text) tell(`${text} ${said.remedy || "Try again in a minute."}`, canBreakGlass && ["no-relation", "relation-unknown"].includes(said.reason));
  };
  const send = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function (...parameters) {
    this.addEventListener("load", () => listen(this));
    return send.apply(this, parameters);
  };

  // Emergency: one patient, for a reason.
  let canBreakGlass = false;
  const patient = make("input", { id: "pacslab-patient", required: "", maxlength: "64", autocomplete: "off" });
  const reason = make("textarea", { id: "pacslab-reason", required: "", minlength: "10", maxlength: "500", rows: "3" });
  const result = make("p", { id: "pacslab-emergency-result", role: "status" });
  const emergency = make(
    "dialog",
    { id: "pacslab-emergency" },
    make("h2", {}, "Emergency access"),
    make("p", {}, "You see the images of one more patient for an hour. The privacy officer learns of it, and reads your reason."),
    make("label", { for: "pacslab-patient" }, "Patient ID"),
    patient,
    make("label", { for: "pacslab-reason" }, "Why you need the images now (10 to 500 characters)"),
    reason,
    result,
    make("button", { type: "button", onclick: () => take() }, "Take access"),
    make("button", { type: "button", onclick: () => emergency.close() }, "Cancel"),
  );
  const take = async () => {
    result.textContent = "";
    try {
      const answer = await fetch("/gateway/break-glass", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ patient: patient.value.trim(), reason: reason.value }),
      });
      if (answer.status === 401) return ended();
      const said = await answer.json();
      if (!answer.ok) {
        result.textContent = `${said.message} ${said.remedy}`;
        return;
      }
      emergency.close();
      tell(`You may see patient ${said.patient} until ${new Date(said.until * 1000).toLocaleTimeString()}. Search again.`);
    } catch {
      result.textContent = "The viewer does not answer. Try again in a minute.";
    }
  };

  const begin = async () => {
    const bar = make("div", { id: "pacslab-bar" });
    document.body.append(bar, warning, notice, emergency);
    for (const name of EVENTS) addEventListener(name, isActive, { passive: true, capture: true });
    isActive();
    setInterval(watch, 1000);
    setInterval(ask, settings.poll * 1000);
    const who = await session();
    if (!who) return;
    person = who.person;
    canBreakGlass = "break-glass" in who.actions;
    bar.append(make("span", { id: "pacslab-person" }, who.person));
    if (canBreakGlass) bar.append(make("button", { type: "button", onclick: () => emergency.showModal() }, "Emergency access"));
    bar.append(
      make("button", { type: "button", id: "pacslab-lock", onclick: () => leave("locked", "Locked.") }, "Lock"),
      make("button", { type: "button", id: "pacslab-sign-out", onclick: () => leave("signed-out", "You are being signed out.") }, "Sign out"),
    );
    const left = JSON.parse(sessionStorage.getItem(RETURN) || "null");
    sessionStorage.removeItem(RETURN);
    if (left && left.person === person && left.path.startsWith("/viewer")) location.replace(left.path);
  };

  // A page that comes back by the browser's back button is asked for again, and is gone where the session is.
  addEventListener("pageshow", event => {
    if (event.persisted) location.reload();
  });
  begin();
})();
