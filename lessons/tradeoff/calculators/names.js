// For the calculator around it. Gives each slider a name and a value that a screen reader can say:
// ipywidgets shows both beside the handle and tells the handle neither. Leaves each list its arrow
// keys: JupyterLab would take them, and move to another cell.

function render({ el, signal }) {
  el.style.display = "none";
  requestAnimationFrame(() => {
    const calculator = el.closest(".tradeoff-calculator");
    if (!calculator) return;
    const name = () => {
      for (const slider of calculator.querySelectorAll(".widget-hslider")) {
        const handle = slider.querySelector("[role=slider]");
        say(handle, "aria-label", slider.querySelector(".widget-label").textContent);
        say(handle, "aria-valuetext", slider.querySelector(".widget-readout").textContent);
      }
      for (const list of calculator.querySelectorAll("select"))
        say(list, "data-lm-suppress-shortcuts", "true");
    };
    const watch = new MutationObserver(name);
    watch.observe(calculator, { subtree: true, childList: true, characterData: true,
                                attributeFilter: ["aria-valuetext"] });
    signal?.addEventListener("abort", () => watch.disconnect());
    name();
  });
}

function say(element, attribute, text) {
  if (element && element.getAttribute(attribute) !== text) element.setAttribute(attribute, text);
}

export default { render };
