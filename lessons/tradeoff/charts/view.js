// Holds one Vega view. A change of the trait `rows` replaces its rows; nothing else is sent.

async function render({ model, el }) {
  // Bringing the library's model into the page runs its script, once for all views.
  const library = model.get("library").replace("IPY_MODEL_", "");
  await model.widget_manager.get_model(library);
  const embed = await loaded();

  el.style.color = "var(--jp-content-font-color1, inherit)";
  const spec = structuredClone(model.get("spec"));
  const first = model.get("rows");
  for (const source of spec.data) {
    if (source.name in first) source.values = first[source.name];
  }
  const options = { mode: "vega", renderer: "svg", actions: false };
  const { view, finalize } = await embed(el, spec, options);

  view.cleanThreshold = 100; // Vega keeps so many marks that are gone; its own 10,000 look like a leak

  const refill = () => {
    const given = Object.entries(model.get("rows"));
    // Emptied first: a scale whose categories never went away would keep them in their old order.
    for (const [name] of given) view.data(name, []);
    view.run();
    for (const [name, rows] of given) view.data(name, rows);
    view.resize().run(); // other rows may need other room for their labels
  };
  model.on("change:rows", refill);
  if (model.get("rows") !== first) refill(); // they changed while the view was made
  return finalize;
}

async function loaded() {
  // The library's model is there before its script has run.
  while (!globalThis.tradeoffEmbed) await new Promise((done) => setTimeout(done, 20));
  return globalThis.tradeoffEmbed;
}

export default { render };
