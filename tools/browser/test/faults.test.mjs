// Each check finds the fault that it is for: a fault is planted in a copy of the built book,
// and must be named. `SITE` says where the book is, if not in target/book.

import assert from 'node:assert/strict';
import {
    cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pagesOf, withDiagram } from '../book.mjs';
import * as beside from '../checks/beside.mjs';
import * as keyboard from '../checks/keyboard.mjs';
import * as pages from '../checks/page.mjs';
import * as plain from '../checks/plain.mjs';
import * as search from '../checks/search.mjs';
import * as stepper from '../checks/stepper.mjs';
import { launch } from '../chromium.mjs';
import { serve } from '../server.mjs';
import { Windows } from '../views.mjs';

const BUILT = process.env.SITE ?? fileURLToPath(new URL('../../../target/book', import.meta.url));
const PAGE = 'glossary.html';
const PHONE = { width: 390, theme: 'light' };
const DESK = { width: 1280, theme: 'light' };

let folder;
let browser;
let server;

before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'book-'));
    cpSync(BUILT, folder, { recursive: true });
    browser = await launch();
    server = await serve(folder);
});

after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
});

/** The faults that a check tells while a file of the site is changed. */
async function faultsWith(name, change, check) {
    const file = join(folder, name);
    const whole = readFileSync(file);
    const changed = change(whole.toString('utf8'));
    assert.notEqual(changed, whole.toString('utf8'), `nothing was planted in ${name}`);
    writeFileSync(file, changed);
    const faults = [];
    try {
        await check((page, view, fault) => faults.push(`${page} · ${view} · ${fault}`));
    } finally {
        writeFileSync(file, whole);
    }
    return faults;
}

/** One of the faults has all of these words. */
function assertNamed(faults, ...words) {
    const named = faults.some((fault) => words.every((word) => fault.includes(word)));
    assert.ok(named, `no fault names ${words.join(' and ')}; found:\n${faults.join('\n')}`);
}

const inMain = (html) => (page) => page.replace('</main>', () => `${html}</main>`);
/** The file has been changed, so each check has a window with nothing in its cache. */
const onPage = ({ width, theme }, ...others) => async (found) => {
    const windows = new Windows(browser);
    await pages.check(windows, server.address, PAGE, { width, themes: [theme, ...others] }, found);
    await windows.close({ width, theme });
};
const fileNamed = (start) => readdirSync(folder).find((name) => name.startsWith(start));

test('a sound page has no faults', async () => {
    const faults = await faultsWith(PAGE, inMain('<p>More.</p>'), onPage(PHONE));
    assert.deepEqual(faults, []);
});

const PLANTED = [
    ['a part that is wider than the window', PHONE, '<div style="width: 900px">Wide</div>',
        ['390 px light', '<div> "Wide" sticks out of the window by']],
    ['an image that does not load', DESK, '<img src="gone.png" alt="gone">',
        ['the image gone.png does not load']],
    ['a request that gets no file', DESK, '<img src="gone.png" alt="gone">',
        ['the request for', 'gone.png got 404']],
    ['an image without an alternative text', DESK, '<img src="social-preview.png">',
        ['the image social-preview.png has no alternative text']],
    ['a drawing without an alternative text', DESK, '<svg viewBox="0 0 9 9"></svg>',
        ['a drawing has no alternative text']],
    ['an error in the console', DESK, '<script>console.error("planted")</script>',
        ['console: planted']],
    ['a script that fails', DESK, '<script>throw new Error("planted")</script>',
        ['a script failed: planted']],
    ['a request to another host', DESK, '<img src="https://example.org/a.png" alt="far">',
        ['asks another host: https://example.org/a.png']],
    ['too little contrast', DESK, '<p style="color: #bbb">Pale</p>',
        ['axe color-contrast']],
    ['a link that only its colour tells', DESK,
        '<p>Words <a style="text-decoration: none; color: #333" href="index.html">and</a> words.</p>',
        ['axe link-in-text-block']],
    ['a box that scrolls and no key reaches', DESK,
        `<p style="overflow: auto; width: 99px; white-space: pre">${'Words. '.repeat(99)}</p>`,
        ['axe scrollable-region-focusable']],
    ['a page that is too heavy', DESK, `<p hidden>${'Heavy. '.repeat(80_000)}</p>`,
        ['its first load moves', 'of 500']],
];

for (const [name, view, html, words] of PLANTED) {
    test(`${name} is named`, async () => {
        assertNamed(await faultsWith(PAGE, inMain(html), onPage(view)), PAGE, ...words);
    });
}

test('a theme without contrast is named with the theme, also when it comes second', async () => {
    const change = inMain('<style>.ayu p, .ayu .menu-title { color: #444 }</style>');
    const faults = await faultsWith(PAGE, change, onPage(DESK, 'ayu'));
    assertNamed(faults, '1280 px ayu', 'color-contrast');
    assert.ok(!faults.some((fault) => fault.includes('light')), faults.join('\n'));
    const night = { width: 1280, theme: 'ayu' };
    assertNamed(await faultsWith(PAGE, change, onPage(night)), '1280 px ayu', 'color-contrast');
});

test('a search without an index is named', async () => {
    const faults = await faultsWith(fileNamed('searchindex'), () => '', (found) => (
        search.check(browser, server.address, DESK, found)
    ));
    assertNamed(faults, 'the search', 'was not found and opened');
});

test('a search that finds another page first is named', async () => {
    const wrong = (index) => index.replaceAll('09-asynchronous', '10-asynchronous');
    const faults = await faultsWith(fileNamed('searchindex'), wrong, (found) => (
        search.check(browser, server.address, DESK, found)
    ));
    assertNamed(faults, 'the first result', '10-asynchronous');
});

test('a focus that one cannot see is named', async () => {
    const blind = inMain('<style>* { outline: none !important; box-shadow: none !important }</style>');
    const faults = await faultsWith(PAGE, blind, (found) => (
        keyboard.check(browser, server.address, PAGE, DESK, found)
    ));
    assertNamed(faults, 'nothing shows that', 'has the focus');
});

test('a page without the link to its text is named', async () => {
    const without = (page) => page.replace(/<a class="skip-link".*?<\/a>/, '');
    const faults = await faultsWith(PAGE, without, (found) => (
        keyboard.check(browser, server.address, PAGE, DESK, found)
    ));
    assertNamed(faults, 'the first stop is', 'not the link to the text');
});

test('a button that no key presses is named', async () => {
    const dead = inMain('<script>addEventListener("keydown", (e) => {'
        + ' if (e.target.id === "sidebar-button") e.preventDefault(); }, true)</script>');
    const faults = await faultsWith(PAGE, dead, (found) => (
        keyboard.check(browser, server.address, PAGE, DESK, found)
    ));
    assertNamed(faults, 'the table of contents is not', 'on its button');
});

test('a page for missing addresses without its styles is named', async () => {
    const lost = (page) => page.replace(/<base href="[^"]*">/, '');
    const faults = await faultsWith('404.html', lost, (found) => (
        beside.missing(browser, server.address, DESK, found)
    ));
    assertNamed(faults, 'a missing address', '.css got 404');
});

test('a page that is not printed is named', async () => {
    const without = (page) => page.replace(/<h1 id="glossary">.*?<\/h1>/s, '');
    const faults = await faultsWith('print.html', without, (found) => (
        beside.printed(browser, server.address, ['Glossary'], DESK, found)
    ));
    assertNamed(faults, 'print.html', 'the page "Glossary" is not on it');
});

test('an EPUB that is none is named', async () => {
    const epub = readdirSync(folder).find((name) => name.endsWith('.epub'));
    const faults = await faultsWith(epub, () => 'no archive', (found) => (
        beside.download(browser, server.address, DESK, found)
    ));
    assertNamed(faults, 'the EPUB', 'is no EPUB');
});

test('a page that needs scripts to show its text is named', async () => {
    const needy = inMain('<noscript><style>main h1 { display: none }</style></noscript>');
    const faults = await faultsWith(PAGE, needy, (found) => (
        plain.check(browser, server.address, PAGE, found)
    ));
    assertNamed(faults, 'without scripts', 'the title does not show');
});

test('a diagram whose buttons do nothing is named', async (context) => {
    const [page] = withDiagram(folder, pagesOf(folder));
    if (page === undefined) {
        context.skip('no page has a diagram that one can step through');
        return;
    }
    const dead = inMain('<script>addEventListener("click", (e) => {'
        + ' if (e.target.closest("figure.stepper")) e.stopPropagation(); }, true)</script>');
    const faults = await faultsWith(page, dead, (found) => (
        stepper.check(browser, server.address, page, DESK, found)
    ));
    assertNamed(faults, 'diagram 1', 'after "Step forward" it should say');
});

test('a diagram that needs scripts to show itself is named', async (context) => {
    const [page] = withDiagram(folder, pagesOf(folder));
    if (page === undefined) {
        context.skip('no page has a diagram that one can step through');
        return;
    }
    const needy = (html) => html.replace('<g class="event', '<g style="display: none" class="event');
    const faults = await faultsWith(page, needy, (found) => (
        plain.check(browser, server.address, page, found)
    ));
    assertNamed(faults, 'a diagram does not show all of its events');
});
