// What an agent knows, drawn. The list beside it holds the same memories and works without the drawing.
import "./choose.js";
import { call } from "../api.js";
import { announce } from "../toasts.js";
import { showList, showChosen } from "./graph_list.js";
import { makeStyle } from "./graph_style.js";

const root = document.getElementById("graph");
const state = document.getElementById("graph-state");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const known = new Map();
let drawing = null;

const path = (more) => `/memories/graph?${new URLSearchParams({ agent_id: root.dataset.agent, ...more })}`;

function elements({ nodes, edges }) {
  const fresh = nodes.filter((node) => !known.has(node.id));
  for (const node of nodes) known.set(node.id, node);
  const drawn = (edge) => `e${edge.source_id}-${edge.target_id}-${edge.relation}`;
  return [
    ...fresh.map((node) => ({ data: { id: String(node.id), label: node.content.slice(0, 40), weight: node.importance, type: node.type, pinned: node.pinned ? 1 : 0 } })),
    ...edges
      .filter((edge) => known.has(edge.source_id) && known.has(edge.target_id) && !drawing?.getElementById(drawn(edge)).length)
      .map((edge) => ({ data: { id: drawn(edge), source: String(edge.source_id), target: String(edge.target_id), weight: edge.weight, relation: edge.relation } })),
  ];
}

// Memories with ties are laid out by them; those without stand in rows below.
function arrange() {
  const tied = drawing.nodes().filter((node) => node.degree() > 0);
  const alone = drawing.nodes().difference(tied);
  if (tied.length) {
    tied.union(tied.connectedEdges()).layout({ name: "cose", animate: false, randomize: true, numIter: tied.length > 200 ? 250 : 600, nodeRepulsion: 9000, idealEdgeLength: 60, componentSpacing: 60, fit: false }).run();
  }
  const box = tied.length ? tied.boundingBox() : { x1: 0, y2: -40, w: 400 };
  const across = Math.max(8, Math.floor(Math.max(box.w, 400) / 40));
  alone.forEach((node, at) => node.position({ x: box.x1 + (at % across) * 40, y: box.y2 + 70 + Math.floor(at / across) * 40 }));
  drawing.fit(undefined, 56);
}

function draw(graph) {
  drawing = window.cytoscape({
    container: document.getElementById("graph-canvas"),
    elements: elements(graph),
    style: makeStyle(),
    minZoom: 0.05,
    maxZoom: 4,
    hideEdgesOnViewport: graph.nodes.length > 300,
    textureOnViewport: graph.nodes.length > 300,
    pixelRatio: Math.min(devicePixelRatio, 2),
    layout: { name: "preset" },
  });
  arrange();
  drawing.on("tap", "node", (event) => choose(Number(event.target.id())));
  drawing.on("dbltap", "node", (event) => expand(Number(event.target.id())));
}

function neighbours(id) {
  return drawing.getElementById(String(id)).neighborhood("node").map((node) => known.get(Number(node.id())));
}

function choose(id, { move = false } = {}) {
  const node = drawing.getElementById(String(id));
  drawing.elements().removeClass("chosen near faint");
  drawing.elements().difference(node.closedNeighborhood()).addClass("faint");
  node.addClass("chosen");
  node.connectedEdges().addClass("near");
  if (move) drawing.animate({ center: { eles: node }, zoom: Math.max(drawing.zoom(), 1) }, { duration: calm.matches ? 0 : 200 });
  showChosen(known.get(id), neighbours(id), { choose: (other) => choose(other, { move: true }), expand, clear });
}

function clear() {
  drawing.elements().removeClass("chosen near faint");
  showChosen(null);
}

async function expand(id) {
  try {
    const before = known.size;
    const added = elements(await call("GET", path({ around: id, limit: 200 })));
    const { x, y } = drawing.getElementById(String(id)).position();
    const fresh = added.filter((each) => !each.data.source);
    fresh.forEach((each, at) => {
      const turn = (2 * Math.PI * at) / fresh.length;
      each.position = { x: x + 90 * Math.cos(turn), y: y + 90 * Math.sin(turn) };
    });
    drawing.add(added);
    list();
    choose(id, { move: true });
    announce(`${known.size - before} more memories.`);
  } catch (error) {
    failed(error, () => expand(id));
  }
}

function list() {
  showList([...known.values()], (id) => choose(id, { move: true }));
}

function failed(error, again) {
  state.hidden = false;
  state.innerHTML = '<div class="empty"><strong></strong><button class="button" type="button">Try again</button></div>';
  state.querySelector("strong").textContent = error.message;
  state.querySelector("button").addEventListener("click", () => { state.hidden = true; again(); }, { once: true });
}

async function load() {
  try {
    const graph = await call("GET", path({ limit: root.dataset.size }));
    if (graph.nodes.length) draw(graph);
    else state.innerHTML = '<div class="empty"><strong>Nothing is known yet</strong><p>What this agent learns, and you may hear, is drawn here.</p></div>';
    state.hidden = graph.nodes.length > 0;
    if (graph.nodes.length) list();
    root.dataset.ready = "";
  } catch (error) {
    failed(error, load);
  }
}

if (root) {
  root.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-graph]")?.dataset.graph;
    if (!tool || !drawing) return;
    const middle = { x: drawing.width() / 2, y: drawing.height() / 2 };
    if (tool === "fit") drawing.fit(undefined, 32);
    else drawing.zoom({ level: drawing.zoom() * (tool === "in" ? 1.4 : 1 / 1.4), renderedPosition: middle });
  });
  const repaint = () => drawing?.style(makeStyle());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  load();
}
