import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { launchBrowser, makeShowcase, startTestServer, Visitor, type Showcase, type TestServer } from '@dialhook/testing';

type Browser = Awaited<ReturnType<typeof launchBrowser>>;

const SIMULATED = { DIALHOOK_CALL_ENGINE: 'simulator', DIALHOOK_SIMULATOR_SPEED: '5000' };

/** Set by `npm run screenshots`: where pictures of every page go. */
const SCREENSHOTS = process.env.DIALHOOK_SCREENSHOTS;

describe('the panel in a browser', () => {
  let place: TestServer;
  let browser: Browser;
  let show: Showcase;
  let owner: Visitor;
  before(async () => {
    browser = await launchBrowser();
    place = await startTestServer('embedded', SIMULATED);
    show = await makeShowcase(place);
    owner = await Visitor.arrive(browser);
    await owner.page.goto(show.signInUrl);
    await owner.page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
  after(async () => {
    await browser.close();
    await show.receiver.stop();
    await place.stop();
  });

  for (const dark of [false, true]) {
    test(
      `every page in ${dark ? 'dark' : 'light'}: something on it, nothing serious to axe, no error in the console`,
      { timeout: 120_000 },
      async () => {
        await owner.page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
        const found: string[] = [];
        for (const [name, path] of Object.entries(show.pages)) {
          await owner.open(place.url + path);
          if (SCREENSHOTS) await owner.page.screenshot({ path: `${SCREENSHOTS}/${name}-${dark ? 'dark' : 'light'}.png` });
          found.push(...(await owner.seriousViolations()).map((violation) => `${name}: ${violation}`));
        }
        assert.deepEqual(found, []);
        assert.deepEqual(owner.errors, []);
      },
    );
  }
});
