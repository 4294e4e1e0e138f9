// A link with data-dialog opens its address in the dialog; without this module it is an ordinary page.
import { fragment } from "./api.js";
import { toast } from "./toasts.js";

const dialog = document.getElementById("dialog");

export async function openDialog(url) {
  try {
    dialog.innerHTML = await fragment(url);
  } catch (error) {
    toast(error.message);
    return;
  }
  dialog.showModal();
  window.htmx?.process(dialog);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog(link.href);
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) event.target.close();
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
