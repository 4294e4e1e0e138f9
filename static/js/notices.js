// What concerns the reader wherever they are: a schedule of theirs failed or was stopped.
import { toast } from "./toasts.js";

document.addEventListener("live:event", ({ detail }) => {
  if (detail.kind === "schedule.failed") toast(detail.payload.text.split("\n")[0]);
});
