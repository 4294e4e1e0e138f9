// Who leads whom, drawn from above to below. The table under it says the same in words.
import { fragment } from "../api.js";

const box = document.getElementById("chart");

function colour(name) {
  const probe = document.createElement("i");
  probe.className = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function style() {
  const [ink, line, accent] = ["graph-ink", "graph-line", "graph-accent"].map(colour);
  return [
    { selector: "node", style: { width: 30, height: 30, label: "data(label)", color: ink, "font-size": 12, "text-valign": "bottom", "text-margin-y": 6, "text-wrap": "ellipsis", "text-max-width": 130, "background-color": accent } },
    { selector: 'node[type = "user"]', style: { shape: "round-rectangle", "background-color": colour("graph-human") } },
    { selector: "edge", style: { width: 1.5, "line-color": line, "target-arrow-color": line, "source-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "bezier" } },
    { selector: "edge[both = 1]", style: { "source-arrow-shape": "triangle" } },
    { selector: 'edge[kind = "peer"]', style: { "line-style": "dashed" } },
  ];
}

function layout(nodes, edges) {
  const led = new Set(edges.map((edge) => edge.target));
  return { name: "breadthfirst", directed: true, roots: nodes.map((node) => node.id).filter((id) => !led.has(id)), spacingFactor: 1.1, padding: 32, animate: false };
}

const data = (each) => ({ data: each });
let drawing = null;

if (box) {
  const { nodes, edges } = JSON.parse(box.dataset.drawing);
  drawing = window.cytoscape({
    container: box,
    elements: [...nodes, ...edges].map(data),
    style: style(),
    userZoomingEnabled: false,
    maxZoom: 1.4,
    layout: layout(nodes, edges),
  });
  new MutationObserver(() => drawing.style(style())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawing.style(style()));
}

// The table is read again by itself; the drawing follows it.
async function redraw() {
  const page = new DOMParser().parseFromString(await fragment(location.pathname, { whole: true }), "text/html");
  const found = page.getElementById("chart");
  if (!found || !drawing) {
    if (Boolean(found) !== Boolean(drawing)) location.reload();
    return;
  }
  const { nodes, edges } = JSON.parse(found.dataset.drawing);
  drawing.elements().remove();
  drawing.add([...nodes, ...edges].map(data));
  drawing.layout(layout(nodes, edges)).run();
}

document.addEventListener("live:event", ({ detail }) => {
  if (detail.kind === "agent_links.changed") redraw().catch(() => {}); // The dot tells that we are away.
});
