// The views in which every page is opened: a phone and a desk, by day and by night.

export const WIDTHS = [390, 1280];
export const HEIGHT = 900;

/** mdBook's names: the ones that book.toml chooses for readers of either taste. */
export const THEMES = ['light', 'ayu'];

/** How many windows a page is seen in. */
export const COUNT = WIDTHS.length * THEMES.length;

export const nameOf = ({ width, theme }) => `${width} px ${theme}`;

/** A window of its own, with nothing in its cache and the theme chosen. */
export async function open(browser, { width, theme }, more = {}) {
    const context = await browser.newContext({
        viewport: { width, height: HEIGHT },
        colorScheme: theme === 'light' ? 'light' : 'dark',
        // A colour on its way to another one has no contrast to be measured.
        reducedMotion: 'reduce',
        ...more,
    });
    await context.addInitScript((name) => localStorage.setItem('mdbook-theme', name), theme);
    return context;
}

/** One window for each view, used for page after page as a reader does. */
export class Windows {
    #pages = new Map();

    constructor(browser) {
        this.browser = browser;
    }

    async page(view) {
        const name = nameOf(view);
        if (!this.#pages.has(name)) {
            const context = await open(this.browser, view);
            this.#pages.set(name, await context.newPage());
        }
        return this.#pages.get(name);
    }

    /** The next page gets a new window: who knows what this one is left with. */
    async close(view) {
        const page = this.#pages.get(nameOf(view));
        this.#pages.delete(nameOf(view));
        await page?.context().close();
    }
}
