// On narrow screens the rail slides in over the page.
const rail = document.getElementById("rail");
let scrim = null;

export function closeRail() {
  if (!scrim) return false;
  scrim.remove();
  scrim = null;
  delete rail.dataset.open;
  const button = document.querySelector("[data-rail-toggle]");
  button?.setAttribute("aria-expanded", "false");
  button?.focus();
  return true;
}

function openRail(button) {
  rail.dataset.open = "";
  button.setAttribute("aria-expanded", "true");
  scrim = document.createElement("button");
  scrim.type = "button";
  scrim.className = "rail-scrim";
  scrim.setAttribute("aria-label", "Close the menu");
  scrim.addEventListener("click", closeRail);
  rail.after(scrim);
  rail.querySelector("a, button, summary")?.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-rail-toggle]");
  if (button) openRail(button);
});
