// The keyboard alone: the Tab key reaches all that a mouse can press, and one sees where
// it is.

import { focused } from './in-page.mjs';
import { PATIENCE } from './search.mjs';
import { nameOf, open } from '../views.mjs';

/** What must be reached before the text. */
const STOPS = ['sidebar-button', 'mdbook-theme-toggle', 'mdbook-search-toggle'];

/** More stops than any page has before its text. */
const MOST_STOPS = 300;

export async function check(browser, address, path, view, found) {
    const context = await open(browser, view);
    const tell = (fault) => found(`the keyboard on ${path}`, nameOf(view), fault);
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        await page.goto(address + path);
        await walkToTheText(page, tell);
        await skip(page, address + path, tell);
        await openTheContents(page, tell);
    } catch (error) {
        tell(error.message.split('\n')[0]);
    } finally {
        await context.close();
    }
}

async function walkToTheText(page, tell) {
    const reached = new Set();
    for (let stop = 1; stop <= MOST_STOPS; stop += 1) {
        await page.keyboard.press('Tab');
        const now = await page.evaluate(focused);
        if (now === null) {
            tell(`the Tab key is lost after ${stop - 1} stops`);
            return;
        }
        if (stop === 1 && !now.classes.includes('skip-link')) {
            tell(`the first stop is ${now.name}, not the link to the text`);
        }
        if (!now.isVisible) {
            tell(`nothing shows that ${now.name} has the focus`);
        }
        if (now.inMain) {
            STOPS.filter((id) => !reached.has(id))
                .forEach((id) => tell(`the Tab key does not reach #${id}`));
            return;
        }
        reached.add(now.id);
    }
    tell(`the Tab key does not reach the text in ${MOST_STOPS} stops`);
}

async function skip(page, address, tell) {
    await page.goto(address);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const now = await page.evaluate(focused);
    if (!now?.inMain) {
        tell(`after the link to the text the next stop is ${now?.name ?? 'nothing'}`);
    }
}

async function openTheContents(page, tell) {
    const button = page.locator('#sidebar-button');
    const state = () => button.getAttribute('aria-expanded');
    for (const key of ['Enter', ' ']) {
        const before = await state();
        await button.focus();
        await page.keyboard.press(key === ' ' ? 'Space' : key);
        const after = before === 'true' ? 'false' : 'true';
        const visible = after === 'true' ? 'visible' : 'hidden';
        try {
            await page.locator('#mdbook-sidebar').waitFor({ state: visible });
        } catch {
            tell(`the table of contents is not ${visible} after "${key}" on its button`);
            return;
        }
        if (await state() !== after) {
            tell('the button of the table of contents does not say whether it is open');
        }
    }
}
