// Files for the next message: chosen, dropped or pasted; uploaded at once, shown above the composer until it is sent.
import { call } from "../api.js";
import { announce, toast } from "../toasts.js";
import { size } from "./attachments.js";
import { conversationId } from "./dom.js";

const MOST = 10;
const MOST_BYTES = 25 * 1024 * 1024;
const { organization, csrf } = document.body.dataset;
const list = document.getElementById("files");
const input = document.getElementById("attach");
const pattern = document.getElementById("file-pattern");
let files = [];

export const hasFiles = () => files.length > 0;
export const isUploading = () => files.some((file) => !file.id);

// Return the uploaded files and forget them: they belong to the message that is being sent.
export function takeFiles() {
  const taken = files.map(({ id, name, size_bytes }) => ({ id, name, size_bytes }));
  files = [];
  list.replaceChildren();
  list.hidden = true;
  return taken;
}

function drop(entry) {
  entry.request.abort();
  if (entry.id) call("DELETE", `/conversations/${conversationId}/attachments/${entry.id}`).catch(() => { /* it goes after a day */ });
  files = files.filter((each) => each !== entry);
  entry.item.remove();
  list.hidden = !files.length;
  document.getElementById("text").focus();
}

function finish(entry) {
  let answer = {};
  try {
    answer = JSON.parse(entry.request.responseText);
  } catch { /* the status speaks */ }
  if (entry.request.status !== 201) {
    const why = entry.request.status ? answer.detail || answer.title || `the server answered ${entry.request.status}` : "the server cannot be reached";
    toast(`${entry.name} was not added: ${why}`);
    drop(entry);
    return;
  }
  Object.assign(entry, answer);
  entry.item.querySelector("progress").remove();
  entry.item.querySelector(".cut").textContent = entry.name;
  announce(`${entry.name} is ready to be sent`);
}

function upload(file) {
  const item = pattern.content.firstElementChild.cloneNode(true);
  const entry = { item, name: file.name, size_bytes: file.size, request: new XMLHttpRequest() };
  const bar = item.querySelector("progress");
  item.querySelector(".cut").textContent = file.name;
  item.querySelector(".attachment-size").textContent = size(file.size);
  item.querySelector(".sr-only").textContent = `Remove ${file.name}`;
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  item.querySelector("button").addEventListener("click", () => drop(entry));
  files.push(entry);
  list.append(item);
  list.hidden = false;
  const body = new FormData();
  body.append("file", file);
  entry.request.open("POST", `/api/v1/conversations/${conversationId}/attachments`);
  entry.request.setRequestHeader("X-CSRFToken", csrf);
  entry.request.setRequestHeader("X-Organization", organization);
  entry.request.upload.addEventListener("progress", (event) => { bar.value = event.total ? event.loaded / event.total : 0; });
  for (const end of ["load", "error"]) entry.request.addEventListener(end, () => finish(entry));
  entry.request.send(body);
}

function add(chosen) {
  for (const file of chosen) {
    if (files.length >= MOST) {
      toast(`A message takes ${MOST} files.`);
      return;
    }
    if (file.size > MOST_BYTES) toast(`${file.name} is larger than 25 MB.`);
    else if (!file.size) toast(`${file.name} is empty.`);
    else upload(file);
  }
}

if (conversationId && input) {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  document.getElementById("text").addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add(event.clipboardData.files);
  });
  const zone = document.querySelector(".thread");
  zone.addEventListener("drop", (event) => add(event.dataTransfer.files));
  // A file that misses the thread would else replace the page.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  }
}
