// Single keys go places; they never fire while someone types.
import { closeMenus } from "./menus.js";
import { closeRail } from "./rail.js";
import { closeDrawer } from "./drawer.js";
import { openPalette } from "./palette.js";
import { openDialog } from "./dialogs.js";

let going = 0;

const types = (element) => element.isContentEditable || element.matches("input, textarea, select");

export function newConversation() {
  openDialog("/chat/new/");
}

function single(event) {
  if (going && Date.now() - going < 1500) {
    going = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) link.click();
    return Boolean(link);
  }
  const search = document.querySelector("[data-search-field]");
  if (event.key === "g") going = Date.now();
  else if (event.key === "c") newConversation();
  else if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "/") search ? search.focus() : openPalette();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (closeMenus() || closeRail() || (!types(event.target) && closeDrawer())) event.preventDefault();
    else if (types(event.target)) event.target.blur();
    return;
  }
  if (types(event.target) || document.querySelector("dialog[open]")) return;
  if (single(event)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) {
    closeMenus();
    document.getElementById("keys").showModal();
  }
});
