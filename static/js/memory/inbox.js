// A pair that was decided leaves its outcome where it stood, and the focus with it.
import { announce } from "../toasts.js";
import { refreshTimes } from "../times.js";

document.addEventListener("htmx:afterSettle", (event) => {
  const left = document.getElementById(event.detail.target.id);
  if (!left?.id.startsWith("pair-card-")) return;
  refreshTimes(left);
  const said = left.matches("[role=status]") ? left : left.querySelector("[role=alert]");
  if (said) announce(said.textContent);
  if (left.matches("[tabindex]")) left.focus();
});

document.addEventListener("htmx:responseError", () => announce("That did not work. Reload the page and try again."));
