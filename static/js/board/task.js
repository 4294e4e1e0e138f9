// A task's page: what changed while its form is open is told, not put over what somebody types.
import { toast } from "../toasts.js";

const number = Number(location.pathname.split("/")[2]);

document.addEventListener("live:event", (event) => {
  const { kind, payload } = event.detail;
  const form = document.querySelector("form#task-spec");
  if (kind !== "task.changed" || payload.number !== number || !form) return;
  if (String(payload.revision) !== form.elements.revision.value) {
    toast("This task was changed meanwhile. When you save, you will see how.");
  }
});
