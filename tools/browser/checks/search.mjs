// The search: it finds words that the book has, and the result opens.

import { accessibilityFaults, listen } from './page.mjs';
import { nameOf, open } from '../views.mjs';

/** The title of a chapter, and the chapter. */
const KNOWN = { words: 'asynchronous storage writes', page: '09-asynchronous-storage-writes.html' };

/** How long a machine with other work may take for what is done at once. */
export const PATIENCE = 10_000;

export async function check(browser, address, view, found) {
    const context = await open(browser, view);
    const tell = (fault) => found('the search', nameOf(view), fault);
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        const faults = listen(page, new URL(address).origin);
        await page.goto(address);
        await page.keyboard.press('/');
        await page.keyboard.type(KNOWN.words);
        const first = page.locator('#mdbook-searchresults a').first();
        await first.waitFor();
        const target = await first.getAttribute('href');
        if (!target.includes(KNOWN.page)) {
            tell(`the first result for "${KNOWN.words}" is ${target}, not ${KNOWN.page}`);
            return;
        }
        faults.push(...await accessibilityFaults(page));
        await page.keyboard.press('Enter');
        await page.waitForURL((url) => url.pathname.endsWith(KNOWN.page));
        await page.locator('main mark').first().waitFor();
        faults.forEach(tell);
    } catch (error) {
        tell(`"${KNOWN.words}" was not found and opened: ${error.message.split('\n')[0]}`);
    } finally {
        await context.close();
    }
}
