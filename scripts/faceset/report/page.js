// Copy buttons. Without this script every row is still there to be selected.
document.documentElement.classList.add("scripted");

function copyBySelection(code) {
  const selection = window.getSelection();
  selection.selectAllChildren(code);
  return document.execCommand("copy");
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    return copyBySelection(code); // pages that were not loaded securely have no clipboard
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  const done = await copy(button.parentElement.querySelector("code"));
  const said = document.getElementById("said");
  const label = button.textContent;
  button.textContent = done ? "Copied" : "Selected";
  said.textContent = done ? "Row copied" : "Row selected, press the copy keys";
  button.disabled = true;
  setTimeout(() => {
    button.textContent = label;
    said.textContent = "";
    button.disabled = false;
  }, 1200);
});
