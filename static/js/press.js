// A button that is replaced while the pointer holds it down never hears of its click: what replaces parts of a page waits here.
const GESTURE_MS = 50; // After a finger is lifted its click comes a moment later.
let pressed = null;
let waiting = [];

function letGo() {
  pressed = null;
  setTimeout(() => {
    const going = waiting;
    waiting = [];
    for (const go of going) go();
  }, GESTURE_MS);
}

export async function released(part) {
  while (part.contains(pressed)) await new Promise((go) => waiting.push(go));
}

document.addEventListener("pointerdown", (event) => { if (event.button === 0) pressed = event.target; }, true);
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, letGo, true);
window.addEventListener("blur", letGo);
