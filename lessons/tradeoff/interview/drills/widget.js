// Shows the page that the kernel made and tells it what the learner asks for: {act, fields, step}.
// Each control keeps its keys: JupyterLab would take Enter and arrows, and move to another cell.

function render({ model, el, signal }) {
  const root = el.appendChild(document.createElement("div"));
  root.className = "tradeoff-drill";
  const page = root.appendChild(document.createElement("div"));
  const said = root.appendChild(document.createElement("div"));
  said.className = "td-unseen";
  said.setAttribute("role", "status"); // stays, so that screen readers hear its text change
  let used = false; // a page that nobody has touched takes the keyboard from nobody

  const show = () => {
    page.innerHTML = model.get("page").html;
    for (const control of page.querySelectorAll("button, input, textarea, a"))
      control.dataset.lmSuppressShortcuts = "true";
    if (!used) return;
    said.textContent = model.get("page").said;
    const next = page.querySelector("[data-focus]");
    next?.focus({ preventScroll: true });
    if (next?.type === "text") next.select();
    root.scrollIntoView({ block: "nearest" });
  };
  const ask = (act) => {
    used = true;
    const fields = {}; // what is typed goes with every button: a view of the plan keeps it
    const given = new FormData(page.querySelector("form") ?? undefined);
    for (const name of given.keys()) fields[name] = given.getAll(name);
    model.send({ act, fields, step: model.get("page").step });
  };

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(event.target.dataset.act);
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (button) ask(button.dataset.act);
  });
  root.addEventListener("keydown", (event) => {
    const { target, key } = event;
    const ticked = target.type === "radio" || target.type === "checkbox";
    const handsIn = target.tagName === "TEXTAREA" ? event.ctrlKey || event.metaKey : ticked;
    if (key === "Enter" && handsIn) {
      event.preventDefault();
      target.form.requestSubmit();
    } else if (target.type === "radio" && /^[1-9]$/.test(key)) {
      const choice = target.form.querySelectorAll("input[type=radio]")[key - 1];
      choice?.focus();
      choice?.click();
    }
  });
  // JupyterLab takes the Enter of any field in a cell for itself, at the field: it must not hear it.
  root.addEventListener("beforeinput", (event) => event.stopPropagation(), true);
  model.on("change:page", show);
  signal?.addEventListener("abort", () => model.off("change:page", show));
  show();
}

export default { render };
