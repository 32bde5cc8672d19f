// Without scripts: the text is there, the contents open, and a diagram shows all of itself.

import { partsOutside } from './in-page.mjs';
import { PATIENCE } from './search.mjs';
import { HEIGHT } from '../views.mjs';

const WIDTH = 390;
const VIEW = `${WIDTH} px without scripts`;

export async function check(browser, address, path, found) {
    const context = await browser.newContext({
        viewport: { width: WIDTH, height: HEIGHT },
        javaScriptEnabled: false,
    });
    const tell = (fault) => found(path, VIEW, fault);
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        await page.goto(address + path);
        if (!await page.locator('main h1').first().isVisible()) {
            tell('the title does not show');
        }
        for (const figure of await page.locator('figure.stepper').all()) {
            const events = await figure.locator('g.event').all();
            const shown = await Promise.all(events.map((event) => event.isVisible()));
            if (events.length === 0 || shown.includes(false)) {
                tell('a diagram does not show all of its events');
            }
            if (await figure.locator('.stepper-bar').isVisible()) {
                tell('a diagram shows controls that do nothing');
            }
        }
        (await page.evaluate(partsOutside)).forEach(tell);
        await page.locator('#mdbook-sidebar-toggle').click();
        const contents = page.frameLocator('.sidebar-iframe-outer');
        await contents.locator('a').first().waitFor();
    } catch (error) {
        tell(error.message.split('\n')[0]);
    } finally {
        await context.close();
    }
}
