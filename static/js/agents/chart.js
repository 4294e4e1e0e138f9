// Who leads whom, drawn from above to below. The table under it says the same in words.
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

if (box) {
  const { nodes, edges } = JSON.parse(box.dataset.drawing);
  const led = new Set(edges.map((edge) => edge.target));
  const drawing = window.cytoscape({
    container: box,
    elements: [...nodes, ...edges].map((each) => ({ data: each })),
    style: style(),
    userZoomingEnabled: false,
    maxZoom: 1.4,
    layout: { name: "breadthfirst", directed: true, roots: nodes.map((node) => node.id).filter((id) => !led.has(id)), spacingFactor: 1.1, padding: 32, animate: false },
  });
  new MutationObserver(() => drawing.style(style())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawing.style(style()));
}
