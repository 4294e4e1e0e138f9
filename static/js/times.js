// Relative times stay true, and show the exact local time as a hint.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function ahead(seconds, moment, now) {
  if (seconds < 60) return "in a moment";
  if (seconds < 3600) return `in ${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `in ${Math.floor(seconds / 3600)} h`;
  if (seconds < 604_800) return `in ${Math.floor(seconds / 86_400)} d`;
  return moment.getFullYear() === now.getFullYear() ? day.format(moment) : dated.format(moment);
}

function ago(moment, now) {
  const seconds = (now - moment) / 1000;
  if (seconds < -1) return ahead(-seconds, moment, now);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 604_800) return `${Math.floor(seconds / 86_400)} d ago`;
  return moment.getFullYear() === now.getFullYear() ? day.format(moment) : dated.format(moment);
}

export function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function refreshTimes(root = document) {
  const now = new Date();
  for (const element of root.querySelectorAll("time[data-when]")) {
    const moment = new Date(element.dateTime);
    element.title = exact.format(moment);
    const text = element.dataset.when === "clock" && now.toDateString() === moment.toDateString() ? clock.format(moment) : ago(moment, now);
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of root.querySelectorAll(".elapsed[data-since]")) {
    const end = element.dataset.until ? new Date(element.dataset.until) : now;
    const text = span(end - new Date(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
  }
}

let ticking = null;
function tick() {
  refreshTimes();
  const live = document.querySelector(".elapsed[data-since]:not([data-until])");
  ticking = setTimeout(tick, live ? 1000 : 20_000);
}

export function hurry() {
  clearTimeout(ticking);
  tick();
}

document.addEventListener("htmx:afterSwap", () => refreshTimes());
document.addEventListener("visibilitychange", () => document.hidden || hurry());
tick();
