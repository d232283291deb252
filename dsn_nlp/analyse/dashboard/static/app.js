"use strict";
// Without this file every page works; it adds pictures as PNG and marks bearing words in lists.
(function () {
  function download(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function paint(address, name) {
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * picture.naturalWidth;
      canvas.height = 2 * picture.naturalHeight;
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => download(blob, name), "image/png");
    };
    picture.src = address;
  }

  for (const link of document.querySelectorAll("a[data-picture]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = "PNG";
    const name = new URL(link.href).pathname.split("/").pop().replace(".svg", ".png");
    button.addEventListener("click", () => paint(link.href, name));
    const place = document.createElement("li");
    place.append(button);
    link.parentElement.after(place);
  }

  function mark(quote, spans) {
    const text = Array.from(quote.textContent); // offsets count characters, not UTF-16 units
    quote.textContent = "";
    let at = 0;
    for (const [start, end] of spans) {
      quote.append(text.slice(at, start).join(""));
      const marked = document.createElement("mark");
      marked.textContent = text.slice(start, end).join("");
      quote.append(marked);
      at = end;
    }
    quote.append(text.slice(at).join(""));
  }

  async function markAll() {
    for (const quote of document.querySelectorAll("blockquote[data-passage]")) {
      const label = encodeURIComponent(quote.dataset.label);
      const answer = await fetch(`/api/bearing/${quote.dataset.passage}?label=${label}`);
      if (!answer.ok) return;
      mark(quote, (await answer.json()).spans);
    }
    document.documentElement.dataset.marked = "yes";
  }
  if (document.querySelector("blockquote[data-passage]")) markAll();
})();
