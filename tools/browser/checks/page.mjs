// One page at one width: does it load, fit, and say what it shows, in one theme and in others?

import { createRequire } from 'node:module';
import { badPictures, bytesLoaded, partsOutside } from './in-page.mjs';
import { nameOf } from '../views.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** All of WCAG 2.1 A and AA that a program can check, and what axe's authors advise. */
const ALL_RULES = {
    type: 'tag',
    values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
};

/**
 * A theme changes colours and nothing else, so these two are enough for a second one. The text
 * is left out: it has been seen in that theme at the other width, where the bars differ.
 */
const COLOUR_RULES = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

/**
 * What a page may move when it is opened for the first time, its fonts apart. Counted as the
 * files are: a host that compresses them moves a fraction of it.
 */
export const MOST_BYTES = 500 * 1024;

/** Listens to all that goes wrong while a page is open. */
export function listen(page, origin) {
    const faults = [];
    page.on('console', (message) => {
        // Requests that fail are told below, with their addresses.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
            faults.push(`console: ${message.text()}`);
        }
    });
    page.on('pageerror', (error) => faults.push(`a script failed: ${error.message}`));
    page.on('request', (request) => {
        const { protocol, origin: from } = new URL(request.url());
        if (protocol.startsWith('http') && from !== origin) {
            faults.push(`asks another host: ${request.url()}`);
        }
    });
    page.on('requestfailed', (request) => {
        faults.push(`the request for ${request.url().replace(origin, '')} failed`);
    });
    page.on('response', (response) => {
        if (response.status() >= 400) {
            const path = response.url().replace(origin, '');
            faults.push(`the request for ${path} got ${response.status()}`);
        }
    });
    return faults;
}

/** What axe finds; a rule and the first places that break it make one fault. */
export async function accessibilityFaults(page, rules = ALL_RULES, leftOut = []) {
    if (!await page.evaluate(() => 'axe' in globalThis)) {
        await page.addScriptTag({ path: AXE });
    }
    const violations = await page.evaluate(async ([runOnly, exclude]) => {
        const result = await globalThis.axe.run({ include: [['html']], exclude }, {
            runOnly,
            resultTypes: ['violations'],
            // None of these rules reads stylesheets or other frames.
            preload: false,
            iframes: false,
        });
        return result.violations.map(({ id, help, nodes }) => ({
            id,
            help,
            places: nodes.map((node) => ({
                target: node.target.join(' '),
                detail: node.any.concat(node.all, node.none)[0]?.message ?? '',
            })),
        }));
    }, [rules, leftOut]);
    return violations.map(({ id, help, places }) => {
        const shown = places.slice(0, 3).map(({ target, detail }) => `${target} (${detail})`);
        const rest = places.length > 3 ? ` and ${places.length - 3} more` : '';
        return `axe ${id}: ${help}: ${shown.join('; ')}${rest}`;
    });
}

/**
 * Opens the page in the first of the themes, changes to each of the others the way a reader
 * does, and calls `found` with each fault. Returns the bytes that its first load moves, fonts
 * apart.
 */
export async function check(windows, address, path, { width, themes }, found) {
    const [first, ...others] = themes;
    const opened = { width, theme: first };
    let view = opened;
    const tell = (fault) => found(path, nameOf(view), fault);
    try {
        const page = await windows.page(opened);
        const faults = listen(page, new URL(address).origin);
        await page.goto(address + path, { waitUntil: 'load' });
        // What the page's scripts do about fonts and sizes, they do before the frame after.
        await page.evaluate(() => document.fonts.ready.then(() => new Promise((drawn) => {
            requestAnimationFrame(() => requestAnimationFrame(drawn));
        })));
        const bytes = await page.evaluate(bytesLoaded);
        if (bytes > MOST_BYTES) {
            const kib = Math.ceil(bytes / 1024);
            tell(`its first load moves ${kib} KiB, fonts apart, of ${MOST_BYTES / 1024}`);
        }
        (await page.evaluate(badPictures)).forEach(tell);
        (await page.evaluate(partsOutside)).forEach(tell);
        (await accessibilityFaults(page)).forEach(tell);
        faults.splice(0).forEach(tell);
        for (const theme of others) {
            await change(page, theme);
            view = { width, theme };
            (await page.evaluate(partsOutside)).forEach(tell);
            (await accessibilityFaults(page, COLOUR_RULES, [['main']])).forEach(tell);
            faults.splice(0).forEach(tell);
        }
        page.removeAllListeners();
        return bytes;
    } catch (error) {
        tell(error.message.split('\n')[0]);
        await windows.close(opened);
        return 0;
    }
}

/** Chooses the theme in the page's menu, and waits for the stylesheets that it brings. */
async function change(page, theme) {
    await page.evaluate((id) => document.getElementById(id).click(), `mdbook-theme-${theme}`);
    await page.waitForFunction(() => {
        const sheets = [...document.querySelectorAll('link[rel="stylesheet"]')];
        return sheets.every((link) => link.disabled || link.sheet !== null);
    });
}
