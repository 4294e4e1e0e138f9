// Cancel and retry, wherever a run is shown.
import { call } from "./api.js";
import { announce, toast } from "./toasts.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-run-action]");
  if (!button || button.disabled) return;
  const { run, runAction } = button.dataset;
  button.disabled = true;
  try {
    await call("POST", `/runs/${run}/${runAction}`, {});
    announce(runAction === "cancel" ? "Cancelling." : "Started again.");
    if (runAction === "retry") toast("Started again.");
    else document.dispatchEvent(new CustomEvent("run:cancelled", { detail: { run: Number(run) } }));
  } catch (error) {
    toast(error.message);
  } finally {
    setTimeout(() => { button.disabled = false; }, 1500);
  }
});
