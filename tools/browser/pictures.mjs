// Draws the pictures that must be PNG from the drawings of the theme:
//
//     cargo book build && npm run pictures
//
// Nothing but a change of a drawing needs this. The letters are those of the built book.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PICTURES = [
    // Shown with a link to the book. mdBook takes to the site what lies beside the pages.
    { from: 'book/theme/social-preview.svg', to: 'book/src/social-preview.png', width: 1200, height: 630 },
    // For browsers that know no SVG as an icon.
    { from: 'book/theme/favicon.svg', to: 'book/theme/favicon.png', width: 48, height: 48 },
];

function face(weight, start) {
    const fonts = join(ROOT, 'target/book/fonts');
    const file = readdirSync(fonts).find((name) => name.startsWith(start));
    if (file === undefined) {
        throw new Error(`there is no font ${start} in ${fonts}; run cargo book build first`);
    }
    const bytes = readFileSync(join(fonts, file)).toString('base64');
    return `@font-face { font-family: "Open Sans"; font-weight: ${weight};`
        + ` src: url(data:font/woff2;base64,${bytes}); }`;
}

async function main() {
    const faces = face(400, 'open-sans-v17-all-charsets-regular')
        + face(700, 'open-sans-v17-all-charsets-700-');
    const browser = await launch();
    try {
        for (const { from, to, width, height } of PICTURES) {
            const page = await browser.newPage({ viewport: { width, height } });
            const svg = readFileSync(join(ROOT, from), 'utf8');
            await page.setContent(
                `<style>${faces} body { margin: 0 } svg { display: block; width: 100% }</style>${svg}`,
            );
            await page.evaluate(() => document.fonts.ready.then(() => {}));
            await page.screenshot({ path: join(ROOT, to), omitBackground: true });
            console.log(`${to}: ${statSync(join(ROOT, to)).size} bytes`);
            await page.close();
        }
    } finally {
        await browser.close();
    }
}

try {
    await main();
} catch (error) {
    console.error(`error: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
}
