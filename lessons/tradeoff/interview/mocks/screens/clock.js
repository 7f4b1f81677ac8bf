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
  requestAnimationFrame(() => {
    const root = el.closest(".tradeoff-mock");
    if (!root) return;
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    root.addEventListener("keydown", event => keyed(event, model), { capture: true, signal });
    root.addEventListener("click", event => {
      if (event.target.closest(".mock-hand-in")) handIn(event.target, model);
    }, { signal });
  });
  show();
}

// Enter hands in a line; Ctrl and Enter a paragraph.
function keyed(event, model) {
  if (event.key !== "Enter") return;
  const line = event.target.closest(".mock-line");
  const paragraph = event.target.closest(".mock-paragraph") && (event.ctrlKey || event.metaKey);
  if (!line && !paragraph) return;
  event.preventDefault();
  event.stopPropagation();
  handIn(event.target, model);
}

// What is in the fields now goes with the message: a widget's own value may still be on its way.
function handIn(target, model) {
  const box = target.closest("[class*=mock-turn-]");
  const text = box.querySelector(".mock-line input, .mock-paragraph textarea")?.value ?? "";
  const ticks = [...box.querySelectorAll("input[type=checkbox]")].map(each => each.checked);
  const turn = [...box.classList].find(name => name.startsWith("mock-turn-")).slice(10);
  model.send({ turn: Number(turn), text, ticks });
}

// New controls are drawn some frames after the kernel speaks of them, in a box that names its turn.
// A board drawn anew may take away what had the cursor: then it is put back.
function later(el, turn, model) {
  let tries = 60;
  let found = false;
  const look = () => {
    if (model.get("turn") !== turn) return;
    const box = el.closest(".tradeoff-mock")?.querySelector(`.mock-turn-${turn}`);
    const room = box?.querySelector(".mock-here") ?? box;
    const fields = "input:not([disabled]), textarea:not([disabled]), select, button:not([disabled])";
    const next = [...(room?.querySelectorAll(fields) ?? [])].find(each => each.offsetParent);
    const lost = document.activeElement === document.body;
    if (next && (!found || lost)) {
      next.focus();
      found = true;
      tries = Math.min(tries, 12);
    }
    if (tries-- > 0) setTimeout(look, 50);
  };
  look();
}

export default { render };
