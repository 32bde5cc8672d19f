// Lets a reader step through a sequence diagram.
//
// The page holds the whole picture; the controls are made here, so that there are none
// without scripts. In the picture each step is a `g.event` with its number, the lower edge
// of its row and a title. A curtain hides what has not happened yet: a message under way is
// drawn as far as it got.
(() => {
    "use strict";

    /// Milliseconds for each step while it plays.
    const PACE = 1400;
    /// What mdBook's menu bar may cover at the top.
    const MENU = 60;

    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

    function make(tag, properties, ...children) {
        const element = Object.assign(document.createElement(tag), properties);
        element.append(...children);
        return element;
    }

    function setUp(figure) {
        const svg = figure.querySelector("svg");
        const sheet = figure.querySelector(".stepper-sheet");
        const button = (textContent) => make("button", { type: "button", textContent });
        const back = button("Step back");
        const forward = button("Step forward");
        const player = button("Play");
        const all = button("Show all");
        const slider = make("input", { type: "range", min: 1, ariaLabel: "Step" });
        const buttons = make("div", { className: "stepper-buttons" });
        buttons.append(back, forward, player, all, slider);
        const says = make("p", { className: "stepper-says", ariaLive: "polite" });
        const bar = make("div", { className: "stepper-bar" }, buttons, says);

        const events = Array.from(svg.querySelectorAll("g.event"));
        const last = events.length;
        const titleOf = (step) => events[step - 1].querySelector("title").textContent;
        const bottomOf = (step) => Number(events[step - 1].dataset.bottom);

        const curtain = document.createElementNS(svg.namespaceURI, "rect");
        curtain.setAttribute("class", "curtain");
        curtain.setAttribute("x", "0");
        curtain.setAttribute("width", svg.viewBox.baseVal.width);
        svg.append(curtain);

        // No step means that everything is shown.
        let step = null;
        let timer = null;

        function mark(name, number) {
            for (const marked of svg.querySelectorAll(`.${name}`)) {
                marked.classList.remove(name);
            }
            if (number) {
                for (const part of svg.querySelectorAll(`[data-step="${number}"]`)) {
                    part.classList.add(name);
                }
            }
        }

        function tell(number) {
            says.textContent = number
                ? `${number} of ${last}: ${titleOf(number)}`
                : `All ${last} steps are shown. Step through them, or point at one.`;
        }

        function show() {
            const from = step === null ? bottomOf(last) : bottomOf(step);
            curtain.setAttribute("y", from);
            curtain.setAttribute("height", Math.max(0, bottomOf(last) - from));
            slider.value = step ?? last;
            slider.ariaValueText = step ? titleOf(step) : "all";
            mark("now", step);
            tell(step);
        }

        function bringIntoView() {
            const row = events[step - 1].querySelector(".row").getBoundingClientRect();
            const floor = Math.min(window.innerHeight, bar.getBoundingClientRect().top);
            let by = 0;
            if (row.bottom > floor - 8) {
                // Some more than it takes, so that the page does not move at every step.
                by = row.bottom - floor + (floor - MENU) / 3;
            } else if (row.top < MENU) {
                by = row.top - MENU - (floor - MENU) / 3;
            }
            if (by !== 0) {
                window.scrollBy({ top: by, behavior: calm.matches ? "auto" : "smooth" });
            }
        }

        function go(number) {
            step = Math.min(Math.max(number, 1), last);
            show();
            bringIntoView();
        }

        function pause() {
            clearInterval(timer);
            timer = null;
            player.textContent = "Play";
            says.ariaLive = "polite";
        }

        function play() {
            // Nobody can listen to a line for each beat.
            says.ariaLive = "off";
            player.textContent = "Pause";
            go(step === null || step === last ? 1 : step + 1);
            timer = setInterval(() => {
                if (step === last || !figure.isConnected) {
                    pause();
                } else {
                    go(step + 1);
                }
            }, PACE);
        }

        const stepBack = () => go(step === null ? last : step - 1);
        const stepForward = () => go(step === null ? 1 : step + 1);

        function press(pressed, action) {
            pressed.addEventListener("click", () => {
                pause();
                action();
            });
        }

        press(back, stepBack);
        press(forward, stepForward);
        press(all, () => {
            step = null;
            show();
        });
        player.addEventListener("click", () => (timer === null ? play() : pause()));
        slider.addEventListener("input", () => {
            pause();
            go(Number(slider.value));
        });

        // mdBook turns the page at the arrow keys; here they mean a step.
        figure.addEventListener("keydown", (event) => {
            if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
                return;
            }
            const action = {
                ArrowLeft: stepBack,
                ArrowRight: stepForward,
                Home: () => go(1),
                End: () => go(last),
            }[event.key];
            if (!action) {
                return;
            }
            event.stopPropagation();
            // The slider moves by itself.
            if (event.target !== slider) {
                event.preventDefault();
                pause();
                action();
            }
        });

        const pointed = (event) => Number(event.target.closest("g.event")?.dataset.step);
        svg.addEventListener("pointerover", (event) => {
            const number = pointed(event);
            mark("pointed", number);
            if (timer === null) {
                tell(number || step);
            }
        });
        svg.addEventListener("pointerleave", () => {
            mark("pointed", null);
            tell(step);
        });
        svg.addEventListener("click", (event) => {
            const number = pointed(event);
            if (number) {
                pause();
                go(number);
            }
        });

        sheet.tabIndex = 0;
        sheet.role = "group";
        sheet.ariaLabel = "Diagram. The left and right arrow keys step.";
        slider.max = last;
        sheet.after(bar);
        show();
    }

    document.querySelectorAll("figure.stepper").forEach(setUp);
})();
