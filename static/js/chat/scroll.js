// Follows the newest message only for readers who are there; others get a button and a marker.
const scroll = document.getElementById("scroll");
const button = document.getElementById("newest");
const NEAR_PX = 80;
let following = true;
let unseen = 0;

const near = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX;

function show() {
  button.hidden = following;
  button.querySelector("span").textContent = unseen ? `${unseen} new` : "Newest";
}

export function isFollowing() {
  return following && !document.hidden;
}

export function toNewest() {
  following = true;
  unseen = 0;
  scroll.scrollTop = scroll.scrollHeight;
  show();
}

// Change the stream without moving what is being read.
export function change(work) {
  work();
  if (following) scroll.scrollTop = scroll.scrollHeight;
}

export function countUnseen() {
  if (following) return;
  unseen += 1;
  show();
}

export function prepend(work) {
  const before = scroll.scrollHeight - scroll.scrollTop;
  scroll.style.setProperty("overflow-anchor", "none");
  work();
  scroll.scrollTop = scroll.scrollHeight - before;
  scroll.style.removeProperty("overflow-anchor");
}

if (scroll) {
  scroll.addEventListener("scroll", () => {
    following = near();
    if (following) unseen = 0;
    show();
  }, { passive: true });
  new ResizeObserver(() => { if (following) scroll.scrollTop = scroll.scrollHeight; }).observe(scroll);
  button.addEventListener("click", () => {
    toNewest();
    document.getElementById("text")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "End" && !event.target.matches("input, textarea, select")) toNewest();
  });
  toNewest();
}
