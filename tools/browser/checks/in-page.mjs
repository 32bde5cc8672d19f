// What is measured inside the browser. Each function here runs in the page, so it
// can use nothing from outside of itself.

/** Parts that stick out of the window at a side, and that no box of theirs scrolls. */
export function partsOutside() {
    const width = document.documentElement.clientWidth;
    // mdBook makes these two scroll or cut whatever is too wide, which would hide it.
    const around = new Set([document.body, document.documentElement]);
    for (const box of document.querySelectorAll('#mdbook-body-container, #mdbook-content')) {
        around.add(box);
    }
    const isHeld = (element) => {
        for (let box = element.parentElement; box !== null; box = box.parentElement) {
            if (!around.has(box) && getComputedStyle(box).overflowX !== 'visible') {
                return true;
            }
        }
        return false;
    };
    const outside = (element) => {
        const { left, right, width: wide, height } = element.getBoundingClientRect();
        return wide > 0 && height > 0 && (right > width + 1 || left < -1);
    };
    // The closed table of contents waits beyond the left edge.
    const isAside = (element) => element.closest('#mdbook-sidebar') !== null;
    const name = (element) => {
        const names = [...element.classList].map((it) => `.${it}`).join('');
        const text = element.textContent.trim().replace(/\s+/g, ' ').slice(0, 40);
        return `<${element.localName}${names}> "${text}"`;
    };
    const found = [...document.body.querySelectorAll('*')]
        .filter((it) => outside(it) && !isAside(it) && !isHeld(it) && it.checkVisibility());
    // The outermost part is the one to look at.
    const all = new Set(found);
    return found.filter((it) => !all.has(it.parentElement)).map((it) => {
        const { left, right } = it.getBoundingClientRect();
        const by = Math.round(Math.max(right - width, -left));
        return `${name(it)} sticks out of the window by ${by} px`;
    });
}

/** Pictures that did not load, and those that say nothing to who cannot see them. */
export function badPictures() {
    const found = [];
    for (const image of document.querySelectorAll('img')) {
        const source = image.getAttribute('src');
        if (!(image.complete && image.naturalWidth > 0)) {
            found.push(`the image ${source} does not load`);
        }
        if (!image.alt.trim()) {
            found.push(`the image ${source} has no alternative text`);
        }
    }
    const say = (id) => document.getElementById(id)?.textContent.trim();
    for (const drawing of document.querySelectorAll('main svg')) {
        const isHidden = drawing.closest('[aria-hidden="true"]') !== null;
        // A part of a larger drawing, which speaks for it.
        const isInside = drawing.parentElement.closest('svg') !== null;
        if (isHidden || isInside) {
            continue;
        }
        const ids = (drawing.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean);
        const text = drawing.getAttribute('aria-label')?.trim()
            || ids.map(say).filter(Boolean).join(' ')
            || drawing.querySelector(':scope > title')?.textContent.trim();
        const where = drawing.closest('figure')?.querySelector('figcaption')?.textContent.trim()
            ?? drawing.outerHTML.slice(0, 60);
        if (drawing.getAttribute('role') !== 'img' || !text) {
            found.push(`a drawing has no alternative text: ${where}`);
        }
    }
    return found;
}

/** What the page is made of, fonts apart, once they are there; from a cache or not. */
export async function bytesLoaded() {
    await document.fonts.ready;
    return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => !name.endsWith('.woff2'))
        .reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0);
}

/** The element with the focus: what it is, and whether a reader can see that it has it. */
export function focused() {
    const element = document.activeElement;
    if (element === null || element === document.body) {
        return null;
    }
    const { x, y, width, height } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const hasRing = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) > 0;
    const inWindow = x + width > 0 && y + height > 0 && x < innerWidth && y < innerHeight;
    const text = element.getAttribute('aria-label') ?? element.textContent;
    return {
        id: element.id,
        classes: [...element.classList],
        name: `<${element.localName}> "${text.trim().replace(/\s+/g, ' ').slice(0, 40)}"`,
        isVisible: (hasRing || style.boxShadow !== 'none') && width > 0 && height > 0 && inWindow,
        inMain: element.closest('main') !== null,
    };
}
