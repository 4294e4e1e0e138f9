// One socket to the server. It replays what was missed, and tells the page by DOM events:
// live:event {id, kind, payload, conversation_id, at} · live:lost · live:back · live:behind
const { organization } = document.body.dataset;
const dot = document.getElementById("connection");
const STALE_MS = 60_000;
const words = { connected: "Connected", reconnecting: "Reconnecting …", stale: "Not connected" };

let last = Number(document.body.dataset.after) || 0;
let socket = null;
let attempts = 0;
let lostAt = null;
let heard = 0;
let timer = null;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));

function show(state) {
  if (dot.dataset.state === state) return;
  dot.dataset.state = state;
  dot.textContent = words[state];
}

function lost() {
  if (lostAt === null) {
    lostAt = Date.now();
    tell("lost", { at: lostAt });
  }
  show(Date.now() - lostAt > STALE_MS ? "stale" : "reconnecting");
  const wait = Math.min(30_000, 1000 * 2 ** attempts) * (0.5 + Math.random() / 2);
  attempts += 1;
  clearTimeout(timer);
  timer = setTimeout(connect, wait);
}

// The socket is open before the server listens for us: only now is nothing missed that is said and not kept.
function ready() {
  attempts = 0;
  show("connected");
  if (lostAt !== null) tell("back", { lostAt, at: Date.now() });
  lostAt = null;
}

function receive(frame) {
  if (frame.kind === "ready") ready();
  if (frame.kind === "heartbeat" || frame.kind === "ready") {
    last = Math.max(last, frame.payload.last);
    return;
  }
  if (frame.kind === "fell_behind") {
    last = frame.payload.last;
    tell("behind", frame);
    connect();
    return;
  }
  if (frame.id !== null && frame.id !== undefined) {
    if (frame.id <= last) return;
    last = frame.id;
  }
  tell("event", frame);
}

export function connect() {
  clearTimeout(timer);
  socket?.close();
  const address = new URL("/api/v1/events", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.search = new URLSearchParams({ organization, after: last });
  const mine = (socket = new WebSocket(address));
  mine.addEventListener("open", () => { heard = Date.now(); });
  mine.addEventListener("message", (event) => {
    heard = Date.now();
    receive(JSON.parse(event.data));
  });
  mine.addEventListener("close", () => {
    if (mine === socket) lost();
  });
}

window.addEventListener("online", connect);
window.addEventListener("pagehide", () => {
  const mine = socket;
  socket = null;
  mine?.close();
});
window.addEventListener("pageshow", (event) => event.persisted && connect());
setInterval(() => {
  if (socket?.readyState === WebSocket.OPEN && Date.now() - heard > STALE_MS + 30_000) socket.close();
  if (lostAt !== null) show(Date.now() - lostAt > STALE_MS ? "stale" : "reconnecting");
}, 5000);
