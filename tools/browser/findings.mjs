// What was found: each finding names the page, the width, the theme and the fault.

export class Findings {
    #all = new Map();

    /** The same fault in several views is told once, with all of them. */
    add(page, view, fault) {
        const key = `${page}\n${fault}`;
        const found = this.#all.get(key) ?? { page, fault, views: [] };
        found.views.push(view);
        this.#all.set(key, found);
    }

    get count() {
        return this.#all.size;
    }

    lines() {
        return [...this.#all.values()]
            .sort((a, b) => a.page.localeCompare(b.page) || a.fault.localeCompare(b.fault))
            .map(({ page, fault, views }) => `${page} · ${views.sort().join(', ')} · ${fault}`);
    }
}
