"use strict";
// A cell of a confusion matrix shows its tracks when it is clicked or gets the focus. The first one shown is the most
// frequent confusion.
for (const article of document.querySelectorAll("#confusion article")) {
  const buttons = article.querySelectorAll(".matrix button");
  const show = (chosen) => {
    for (const button of buttons) {
      const panel = document.getElementById(button.getAttribute("aria-controls"));
      panel.hidden = button !== chosen;
      button.setAttribute("aria-expanded", String(button === chosen));
    }
  };
  for (const button of buttons) {
    button.addEventListener("focus", () => show(button));
    button.addEventListener("click", () => show(button));
  }
  const confused = [...buttons].filter((button) => button.classList.contains("confused"));
  if (confused.length > 0) show(confused.reduce((a, b) => (Number(b.textContent) > Number(a.textContent) ? b : a)));
}
// Arrow keys move between the cells.
document.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const step = steps[event.key], cell = event.target.closest(".matrix td");
  if (!step || !cell) return;
  const rows = cell.closest("tbody").rows;
  let row = cell.parentElement.rowIndex - 1, column = cell.cellIndex;
  do {
    row += step[0];
    column += step[1];
    const button = rows[row]?.cells[column]?.querySelector("button");
    if (button) {
      button.focus();
      event.preventDefault();
      return;
    }
  } while (rows[row]?.cells[column]);
});
for (const radio of document.querySelectorAll("#hardest input[type=radio]")) {
  radio.addEventListener("change", () => (document.getElementById("hardest").dataset.shown = radio.value));
}
