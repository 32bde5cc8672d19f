// What lies beside the pages: the page for missing addresses, the one for printers, the
// EPUB.

import { badPictures, partsOutside } from './in-page.mjs';
import { listen } from './page.mjs';
import { PATIENCE } from './search.mjs';
import { nameOf, open } from '../views.mjs';

async function inWindow(browser, view, name, found, work) {
    const context = await open(browser, view);
    const tell = (fault) => found(name, nameOf(view), fault);
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        await work(page, tell, context.request);
    } catch (error) {
        tell(error.message.split('\n')[0]);
    } finally {
        await context.close();
    }
}

/** An address that names no page, as deep as one may be, shows the book and ways back. */
export function missing(browser, address, view, found) {
    return inWindow(browser, view, 'a missing address', found, async (page, tell, request) => {
        const gone = `${address}no/such/place.html`;
        const faults = listen(page, new URL(address).origin);
        const response = await page.goto(gone);
        if (response.status() !== 404) {
            tell(`the answer is ${response.status()}, not 404`);
        }
        const own = `the request for ${new URL(gone).pathname} got 404`;
        faults.filter((fault) => fault !== own).forEach(tell);
        const links = await page.locator('main a, .chapter a, .skip-link')
            .evaluateAll((all) => all.map((link) => link.href));
        if (links.length === 0) {
            tell('no link leads back');
        }
        for (const link of new Set(links.map((it) => it.split('#')[0]))) {
            const status = (await request.get(link)).status();
            if (status !== 200) {
                tell(`its link to ${link.replace(address, '')} gets ${status}`);
            }
        }
    });
}

/** All pages on one, and on paper nothing but them. axe has seen each of them by itself. */
export function printed(browser, address, titles, view, found) {
    return inWindow(browser, view, 'print.html', found, async (page, tell) => {
        // The page opens the printer's window by itself.
        await page.addInitScript(() => { window.print = () => {}; });
        const faults = listen(page, new URL(address).origin);
        await page.goto(`${address}print.html`);
        faults.push(...await page.evaluate(partsOutside), ...await page.evaluate(badPictures));
        faults.forEach(tell);
        const shown = await page.locator('main h1').allTextContents();
        titles.filter((title) => !shown.includes(title))
            .forEach((title) => tell(`the page "${title}" is not on it`));
        await page.emulateMedia({ media: 'print' });
        const controls = '#mdbook-menu-bar, #mdbook-sidebar, .skip-link, .stepper-bar';
        for (const control of await page.locator(controls).all()) {
            if (await control.isVisible()) {
                const { id, className } = await control.evaluate((it) => ({
                    id: it.id,
                    className: it.className,
                }));
                tell(`on paper there is still ${id ? `#${id}` : `.${className}`}`);
            }
        }
    });
}

/** The menu bar offers the book as an EPUB, and the file is one. */
export function download(browser, address, view, found) {
    return inWindow(browser, view, 'the EPUB', found, async (page, tell, request) => {
        await page.goto(address);
        const link = page.locator('#mdbook-menu-bar a[href$=".epub"]');
        const file = await link.evaluate((it) => it.href);
        if (!await link.isVisible()) {
            tell('the menu bar does not show the link to it');
        }
        const response = await request.get(file);
        const start = (await response.body()).subarray(30, 58).toString('latin1');
        if (response.status() !== 200 || start !== 'mimetypeapplication/epub+zip') {
            tell(`${file.replace(address, '')} is no EPUB (status ${response.status()})`);
        }
    });
}
