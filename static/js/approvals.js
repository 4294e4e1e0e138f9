// Deciding without leaving the page: in the chat, in lists, in the drawer. Without this the forms are sent as they are.
import { call } from "./api.js";
import { refreshDrawer } from "./drawer.js";
import { announce, toast } from "./toasts.js";

const SAID = { approve: "Approved.", grant: "Approved, and allowed for longer.", reject: "Rejected.", ask_back: "Asked back." };

function grantOf(data) {
  const uses = Number(data.get("uses"));
  return {
    ends_in_s: Number(data.get("ends_in_s")), everywhere: data.get("where") === "everywhere",
    fields: data.getAll("fields"), ...(uses ? { uses } : {}),
  };
}

function cameOf(act, state, reason) {
  if (state === "failed" || state === "expired") return `This was not done: ${reason}.`;
  if (act === "approve" && state === "open") return "Noted. Somebody else has to approve it as well.";
  return SAID[act];
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-decide]");
  const act = event.submitter?.value;
  if (!form || !SAID[act]) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const data = new FormData(form);
  const body = { verdict: act === "grant" ? "approve" : act, comment: data.get("comment") || "", digest: data.get("digest") };
  if (act === "grant") body.grant = grantOf(data);
  if (body.verdict === "approve" && data.get("choice")) body.choice = data.get("choice");
  try {
    const { state, reason } = await call("POST", `/approvals/${form.dataset.decide}/decide`, body);
    document.activeElement?.blur();
    form.reset();
    const said = cameOf(act, state, reason);
    announce(said);
    toast(said);
    if (form.closest("#drawer")) refreshDrawer();
  } catch (error) {
    toast(error.message);
  } finally {
    delete form.dataset.busy;
  }
});

document.addEventListener("live:event", (event) => {
  const { kind, payload } = event.detail;
  const open = document.querySelector("#drawer [data-approval]")?.dataset.approval;
  if (kind === "approval.changed" && open === String(payload.approval.id) && !document.querySelector("#drawer textarea:focus")) refreshDrawer();
});
