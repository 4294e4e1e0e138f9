// The table changes line by line: the focus stays with the line, filters apply at once, Escape leaves editing.
import { announce } from "../toasts.js";
import { refreshTimes } from "../times.js";

document.addEventListener("htmx:afterSettle", (event) => {
  const line = document.getElementById(event.detail.target.id);
  if (!line?.matches(".memory-row")) return;
  refreshTimes(line);
  const said = line.querySelector("[role=status], [role=alert]");
  if (said) announce(said.textContent);
  (line.querySelector("textarea") ?? line.querySelector("button, a"))?.focus();
});

// More lines join the table; the reader's place stays, and the focus goes to the first of them.
let continued = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "memory-more") continued = event.detail.target.previousElementSibling;
});
document.addEventListener("htmx:afterSettle", () => {
  const first = continued?.nextElementSibling;
  continued = null;
  if (!first) return;
  refreshTimes(first.parentElement);
  first.querySelector("a, button")?.focus({ preventScroll: true });
});

document.addEventListener("htmx:responseError", () => announce("That did not work. Reload the page and try again."));

document.addEventListener("keydown", (event) => {
  const cancel = event.key === "Escape" && event.target.closest(".memory-row form")?.querySelector("[data-cancel]");
  if (cancel) window.htmx.ajax("GET", cancel.getAttribute("hx-get"), { target: cancel.getAttribute("hx-target"), swap: "outerHTML" });
});

document.querySelector(".memory-filters")?.addEventListener("change", (event) => {
  if (event.target.matches("select, [type=checkbox], [type=date]")) event.currentTarget.requestSubmit();
});
