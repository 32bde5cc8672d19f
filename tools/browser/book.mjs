// The pages of a built site, and all that is checked on them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as beside from './checks/beside.mjs';
import * as keyboard from './checks/keyboard.mjs';
import * as pages from './checks/page.mjs';
import * as plain from './checks/plain.mjs';
import * as search from './checks/search.mjs';
import * as stepper from './checks/stepper.mjs';
import { THEMES, WIDTHS } from './views.mjs';

/**
 * Relative to the site: the pages of the table of contents, which mdBook writes for readers
 * without scripts, and the two that it does not list.
 */
export function pagesOf(folder) {
    const contents = readFileSync(join(folder, 'toc.html'), 'utf8');
    const listed = [...contents.matchAll(/<a href="([^"#]+)"/g)].map((link) => link[1]);
    return [...new Set([...listed, 'index.html', '404.html'])];
}

/** The text of the page's own heading. */
function titleOf(folder, name) {
    const heading = /<main>.*?<h1[^>]*>(.*?)<\/h1>/s.exec(readFileSync(join(folder, name), 'utf8'));
    return heading?.[1].replace(/<[^>]*>/g, '').trim() ?? name;
}

/** The pages with a diagram that one can step through. */
export function withDiagram(folder, names) {
    const hasOne = (name) => readFileSync(join(folder, name), 'utf8')
        .includes('<figure class="stepper"');
    return names.filter(hasOne);
}

/**
 * All the jobs for a site, the long ones first. Each takes windows of a browser; `found` is called
 * with every fault and `loaded` with the bytes of every first load.
 */
export function jobs(folder, address, wanted, found, loaded) {
    const names = pagesOf(folder).filter((name) => name.includes(wanted));
    const diagrams = withDiagram(folder, names);
    const [phone, desk] = WIDTHS.map((width, index) => ({ width, theme: THEMES[index] }));
    // Opened by night on the phone, by day at the desk, and in the other theme after that.
    const screens = WIDTHS.map((width, index) => ({
        width,
        themes: [...THEMES.slice(1 - index), ...THEMES.slice(0, 1 - index)],
    }));
    const each = names.flatMap((name) => screens.map((screen) => async (windows) => {
        loaded(name, await pages.check(windows, address, name, screen, found));
    }));
    const stepped = diagrams.flatMap((name) => [phone, desk].map((view) => ({ browser }) => (
        stepper.check(browser, address, name, view, found)
    )));
    const some = [...diagrams, ...names.slice(0, 1)];
    const unscripted = [...new Set(some)].map((name) => ({ browser }) => (
        plain.check(browser, address, name, found)
    ));
    const list = [...stepped, ...each, ...unscripted];
    if (wanted === '') {
        const own = names.filter((name) => name !== '404.html');
        const titles = own.map((name) => titleOf(folder, name));
        list.unshift(...[phone, desk].flatMap((view) => [
            ({ browser }) => beside.printed(browser, address, titles, view, found),
            ({ browser }) => search.check(browser, address, view, found),
            ({ browser }) => keyboard.check(browser, address, 'index.html', view, found),
            ({ browser }) => beside.missing(browser, address, view, found),
        ]));
        list.push(({ browser }) => beside.download(browser, address, phone, found));
    }
    return { list, names, diagrams };
}
