// What mdBook's own scripts leave to the mouse alone, for readers with a keyboard.
(() => {
    "use strict";

    // The label that opens the table of contents is nothing that a key could press, so a
    // button takes its place and presses it. Without scripts the label is all there is.
    const label = document.getElementById("mdbook-sidebar-toggle");
    const button = document.createElement("button");
    button.id = "sidebar-button";
    button.type = "button";
    button.className = label.className;
    button.title = label.title;
    button.append(...label.childNodes);
    const copy = () => {
        for (const name of ["aria-label", "aria-controls", "aria-expanded"]) {
            button.setAttribute(name, label.getAttribute(name));
        }
    };
    copy();
    new MutationObserver(copy).observe(label, { attributeFilter: ["aria-expanded"] });
    button.addEventListener("click", () => label.click());
    label.style.display = "none";
    label.before(button);

    // The table of contents has scrolled to this page's entry, and Chromium's Tab key would
    // begin there. It begins where the page does, or at the place that the address names.
    if (location.hash === "" && document.activeElement === document.body) {
        document.body.tabIndex = -1;
        document.body.focus({ preventScroll: true });
        document.body.blur();
        document.body.removeAttribute("tabindex");
    }

    // What is wider than the page scrolls inside its own box, and the arrow keys scroll the
    // box that has the focus. One that fits needs no stop on the way of the Tab key.
    const boxes = Array.from(
        document.querySelectorAll("main pre > code, main .table-wrapper, main figure"),
    );
    const mark = (changed) => {
        const seen = changed.map((box) => [
            box,
            box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible",
        ]);
        for (const [box, scrolls] of seen) {
            if (scrolls) {
                box.tabIndex = 0;
            } else {
                box.removeAttribute("tabindex");
            }
        }
    };
    const watcher = new ResizeObserver((changes) => mark(changes.map(({ target }) => target)));
    // A font that arrives late widens what is inside a box, and not the box.
    document.fonts.addEventListener("loadingdone", () => mark(boxes));
    for (const box of boxes) {
        watcher.observe(box);
    }
})();
