// The interview's clock, and its keyboard. Counts down on its own between two messages of the
// kernel; puts the cursor into what is asked next; keeps JupyterLab's shortcuts out, or Enter on a
// button would open a cell for editing.

function render({ model, el, signal }) {
  const face = el.appendChild(document.createElement("span"));
  face.setAttribute("role", "timer");
  face.style.cssText = "font-variant-numeric: tabular-nums; font-weight: 600";
  let since = performance.now();

  const show = () => {
    const passed = model.get("running") ? (performance.now() - since) / 1000 : 0;
    const left = Math.round(model.get("left") - passed);
    const clock = `${Math.floor(Math.abs(left) / 60)}:${String(Math.abs(left) % 60).padStart(2, "0")}`;
    const paused = model.get("running") ? "" : " (clock stands)";
    face.textContent = left >= 0 ? `${clock} left${paused}` : `${clock} over time${paused}`;
  };
  const moved = () => { since = performance.now(); show(); };
  const focus = () => later(el, model.get("turn"), model);

  model.on("change:left", moved);
  model.on("change:running", moved);
  model.on("change:turn", focus);
  const beat = setInterval(show, 500);
  signal?.addEventListener("abort", () => {
    clearInterval(beat);
    model.off("change:left", moved);
    model.off("change:running", moved);
    model.off("change:turn", focus);
  });
  requestAnimationFrame(() =>
    el.closest(".tradeoff-mock")?.setAttribute("data-lm-suppress-shortcuts", "true"));
  show();
}

// New controls are drawn some frames after the kernel speaks of them.
function later(el, turn, model) {
  let tries = 40;
  const look = () => {
    if (model.get("turn") !== turn) return;
    const room = el.closest(".tradeoff-mock")?.querySelector(".mock-answer");
    const fields = "input:not([disabled]), textarea:not([disabled]), select, button:not([disabled])";
    const next = [...(room?.querySelectorAll(fields) ?? [])].find(each => each.offsetParent);
    if (next && tries < 39) next.focus();
    else if (tries-- > 0) setTimeout(look, 50);
  };
  look();
}

export default { render };
