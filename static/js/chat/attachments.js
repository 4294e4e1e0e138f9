// Files at a message: their names and sizes, each a link that saves it.
import { conversationId } from "./dom.js";

const pattern = document.getElementById("attachment-pattern");
const UNITS = ["bytes", "KB", "MB"];

export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

export function showAttachments(row, attachments) {
  row.querySelector(".attachments")?.replaceChildren(...attachments.map((file) => {
    const item = pattern.content.firstElementChild.cloneNode(true);
    const link = item.querySelector("a");
    link.href = `/chat/${conversationId}/files/${file.id}/`;
    link.download = file.name;
    link.querySelector(".cut").textContent = file.name;
    link.querySelector(".attachment-size").textContent = size(file.size_bytes);
    return item;
  }));
}
