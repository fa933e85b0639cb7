// @ts-check
// Runs in the head, before anything is painted: the remembered theme and the watch over pictures must be there first.

document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "auto";

// A picture that cannot be loaded shows the tile below it.
addEventListener(
  "error",
  (event) => {
    if (event.target instanceof HTMLImageElement) event.target.classList.add("missing");
  },
  true,
);
