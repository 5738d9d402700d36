// Text into the clipboard; where a page may not, the text is shown and selected instead.

// place: a hidden <pre>; said: an element for a word of success.
export async function copyText(text, place, said) {
  place.textContent = text;
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = "copied";
    setTimeout(() => { said.textContent = ""; }, 2000);
  } catch {
    said.textContent = "select and copy:";
    place.hidden = false;
    getSelection().selectAllChildren(place);
  }
}
