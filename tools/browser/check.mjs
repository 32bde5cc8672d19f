// Opens every page of the built book in the system's Chromium, on a phone and on a desk, by
// day and by night, and lists what is wrong.
//
//     npm run check                       the book in target/book
//     npm run check -- --page 08          only the pages with 08 in their names
//     npm run check -- --site FOLDER      a site elsewhere
//
// Ends with 0 if nothing is wrong, with 1 if something is, with 2 if it cannot look.

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { jobs } from './book.mjs';
import { MOST_BYTES } from './checks/page.mjs';
import { launch } from './chromium.mjs';
import { Findings } from './findings.mjs';
import { serve } from './server.mjs';
import { COUNT, Windows } from './views.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

function options() {
    const { values } = parseArgs({
        options: {
            page: { type: 'string', default: '' },
            site: { type: 'string', default: join(HERE, '../../target/book') },
        },
    });
    const folder = resolve(values.site);
    if (!statSync(join(folder, '404.html'), { throwIfNoEntry: false })?.isFile()) {
        throw new Error(`there is no built book in ${folder}; run cargo book build first`);
    }
    return { folder, wanted: values.page };
}

/** As many jobs at a time as there are processors. */
async function work(list, browser) {
    const waiting = [...list];
    const worker = async () => {
        const windows = new Windows(browser);
        for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
            await job(windows);
        }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function main() {
    const { folder, wanted } = options();
    const browser = await launch();
    const server = await serve(folder);
    try {
        const findings = new Findings();
        let largest = { bytes: 0 };
        const started = performance.now();
        const { list, names, diagrams } = jobs(
            folder,
            server.address,
            wanted,
            (...fault) => findings.add(...fault),
            (name, bytes) => {
                if (bytes > largest.bytes) {
                    largest = { name, bytes };
                }
            },
        );
        if (names.length === 0) {
            throw new Error(`no page has "${wanted}" in its name`);
        }
        await work(list, browser);
        const seconds = Math.round((performance.now() - started) / 1000);
        findings.lines().forEach((line) => console.error(line));
        const kib = (bytes) => `${Math.ceil(bytes / 1024)} KiB`;
        console.log(
            `${names.length} pages in ${COUNT} views, ${diagrams.length} of them with `
            + `diagrams, in ${seconds} s. The largest first load, fonts apart: `
            + `${kib(largest.bytes)} of ${kib(MOST_BYTES)} (${largest.name}).`,
        );
        console.log(findings.count === 0 ? 'Nothing is wrong.' : `${findings.count} findings.`);
        return findings.count === 0 ? 0 : 1;
    } finally {
        await browser.close();
        await server.close();
    }
}

try {
    process.exitCode = await main();
} catch (error) {
    console.error(`error: ${error.message.split('\n')[0]}`);
    process.exitCode = 2;
}
