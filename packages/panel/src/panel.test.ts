import { strict as assert } from 'node:assert';
import { after, afterEach, before, describe, test } from 'node:test';
import { optimaldial, verify } from '@dialhook/webhooks';
import {
  eventually,
  freePort,
  freshPlace,
  launchBrowser,
  makeShowcase,
  Receiver,
  ServerProcess,
  startTestServer,
  Visitor,
  type Showcase,
  type TestServer,
} from '@dialhook/testing';

type Browser = Awaited<ReturnType<typeof launchBrowser>>;

/** Set by `npm run screenshots`: where pictures of every page go. */
const SCREENSHOTS = process.env.DIALHOOK_SCREENSHOTS;
const SIMULATED = { DIALHOOK_CALL_ENGINE: 'simulator', DIALHOOK_SIMULATOR_SPEED: '5000' };
/** Gzipped bytes of everything that the first page loads. */
const MAX_FIRST_LOAD = 350 * 1024;

const csv = (rows: number) =>
  `name,phone\n${Array.from({ length: rows }, (_, n) => `N${n},+1312555${String(n).padStart(4, '0')}`).join('\n')}\n`;
const file = (name: string, content: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(content) });

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

  afterEach(() => {
    assert.deepEqual(owner.errors.splice(0), [], 'no error in the console');
  });

  const open = (name: string) => owner.open(place.url + show.pages[name]);
  const button = (name: string, exact = true) => owner.page.getByRole('button', { name, exact });
  const dialog = () => owner.page.getByRole('dialog');

  for (const dark of [false, true]) {
    test(`every page in ${dark ? 'dark' : 'light'}: nothing serious to axe, no error in the console`, { timeout: 120_000 }, async () => {
      await owner.page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
      const found: string[] = [];
      for (const [name, path] of Object.entries(show.pages)) {
        await owner.open(place.url + path);
        if (SCREENSHOTS) await owner.page.screenshot({ path: `${SCREENSHOTS}/${name}-${dark ? 'dark' : 'light'}.png` });
        found.push(...(await owner.seriousViolations()).map((violation) => `${name}: ${violation}`));
      }
      assert.deepEqual(found, []);
      assert.deepEqual(owner.errors, []);
    });
  }

  test('a page that had to give its stream up does not come back by itself, asks meanwhile, and follows again when it is shown', async () => {
    await open('deliveries');
    let streams = 0;
    let asked = 0;
    const count = (request: { url(): string }) => {
      if (request.url().endsWith('/deliveries/tail')) streams += 1;
      if (/deliveries\?since=/.test(request.url())) asked += 1;
    };
    owner.page.on('request', count);
    await owner.page.clock.install();
    await open('deliveries');
    await eventually('it follows', () => streams === 1);
    const others = [];
    for (let n = 0; n < 4; n++) {
      const page = await owner.context.newPage();
      const follows = page.waitForResponse((response) => response.url().endsWith('/deliveries/tail'));
      await page.goto(place.url + show.pages.deliveries);
      await follows;
      others.push(page);
    }
    await eventually('it asks instead', async () => {
      await owner.page.clock.runFor(61_000);
      return asked > 0;
    });
    assert.equal(streams, 1);
    await owner.page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await eventually('it follows again', () => streams === 2);
    for (const page of others) await page.close();
    owner.page.off('request', count);
    await owner.page.clock.resume();
  });

  test('the first load is small, and nothing comes from elsewhere', async () => {
    const visitor = await Visitor.arrive(browser);
    let bytes = 0;
    const elsewhere: string[] = [];
    const sizes: Promise<void>[] = [];
    visitor.page.on('requestfinished', (request) => {
      if (!request.url().startsWith(place.url)) elsewhere.push(request.url());
      sizes.push(request.sizes().then(({ responseBodySize }) => void (bytes += responseBodySize)));
    });
    visitor.expected.push(/\/panel\/me/);
    await visitor.open(`${place.url}/sign-in`);
    await Promise.all(sizes);
    assert.ok(bytes > 50_000 && bytes < MAX_FIRST_LOAD, `${bytes} bytes`);
    assert.deepEqual([elsewhere, visitor.errors], [[], []]);
    await visitor.leave();
  });

  test('on a phone: the menu opens the pages, and nothing is wider than the screen', async () => {
    const cookies = await owner.context.cookies();
    const phone = await Visitor.arrive(browser, { phone: true });
    await phone.context.addCookies(cookies);
    await phone.open(place.url + show.pages.overview!);
    await phone.page.getByRole('button', { name: 'Menu' }).click();
    await phone.page.getByRole('link', { name: 'Deliveries' }).click();
    await phone.page.getByRole('heading', { name: 'Deliveries' }).waitFor();
    for (const name of ['deliveries', 'delivery', 'endpoints', 'list']) {
      await phone.open(place.url + show.pages[name]!);
      const session = await phone.context.newCDPSession(phone.page);
      const { result } = await session.send('Runtime.evaluate', {
        expression: 'document.documentElement.scrollWidth',
        returnByValue: true,
      });
      assert.ok(Number(result.value) <= 390, `${name} is ${result.value} wide`);
    }
    assert.deepEqual(phone.errors, []);
    await phone.leave();
  });

  test('deliveries: filters are the address, rows open, keys move, what is new is announced and moves nothing', async () => {
    await open('deliveries');
    const { page } = owner;
    await page.getByLabel('HTTP code').fill('503');
    await page.waitForURL(/code=/);
    await page.getByRole('row', { name: /503/ }).first().waitFor();
    assert.equal(await page.getByRole('row', { name: / 200 / }).count(), 0);
    await page.keyboard.press('Escape');
    await page.goto(`${place.url}${show.pages.deliveries}?status=delivered`);
    await page
      .getByRole('row', { name: /delivered/ })
      .first()
      .waitFor();
    const first = () => page.getByRole('row').nth(1).getByRole('link').getAttribute('href');
    const before = await first();
    await place.operator.send('POST', '/operator/v1/events', { organization: show.slug, type: 'call.ended', data: { fresh: true } });
    await page.getByRole('button', { name: /new, show/ }).waitFor();
    assert.equal(await first(), before, 'the rows stand still');
    await page.locator('body').press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Delivery', exact: true }).waitFor();
    await page.keyboard.press('Shift+?');
    await dialog().getByText('down and up in a table').waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`${place.url}${show.pages.deliveries}?search=nothing-like-this`);
    await page.getByText('Nothing fits these filters').waitFor();
  });

  test('a delivery shows the very bytes, is copied as curl, and is sent again', async () => {
    await open('delivery');
    const { page } = owner;
    await page.getByText('Next attempt').waitFor();
    await button('Copy as curl').click();
    const session = await owner.context.newCDPSession(page);
    const { result } = await session.send('Runtime.evaluate', {
      expression: 'navigator.clipboard.readText()',
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    assert.match(String(result.value), /^curl -X POST 'http.*--data-raw '\{"type":"call\.ended"/s);
    const before = show.receiver.received.length;
    await button('Resend').click();
    await show.receiver.until(() => show.receiver.received.length > before);
  });

  test('a replay counts first, then runs with its progress', async () => {
    await owner.open(`${place.url}${show.pages.deliveries}?status=delivered&event_type=call.started`);
    await button('Replay…').click();
    const text = await dialog()
      .getByText(/finished deliveries/)
      .innerText();
    const count = Number(/(\d+)/.exec(text)![1]);
    assert.equal(count, 14, 'CRM alone wants call.started');
    const before = show.receiver.received.length;
    await dialog().getByRole('button', { name: 'Send them again' }).click();
    await dialog().getByText(`completed: ${count} of ${count}`).waitFor();
    await show.receiver.until(() => show.receiver.received.length >= before + count);
    await dialog().getByRole('button', { name: 'Close' }).last().click();
  });

  test('the overview has every chart as a table too, and dials show what the tables made of them', async () => {
    await open('overview');
    const { page } = owner;
    const chart = page.getByRole('region', { name: 'Attempts by outcome', exact: true });
    await chart.getByRole('button', { name: 'Table' }).click();
    await chart.getByRole('columnheader', { name: 'Given up' }).waitFor();
    await open('dials');
    await page
      .getByRole('row', { name: /Spring Callback.*SALE.*success/ })
      .first()
      .waitFor();
    await page
      .getByRole('row', { name: /No Answer.*no contact/ })
      .first()
      .waitFor();
  });

  test('a replay is not offered for what it could not choose by', async () => {
    await owner.open(`${place.url}${show.pages.deliveries}?code=503`);
    await button('Replay…').and(owner.page.locator('[disabled]')).waitFor();
  });

  test('what failed at an endpoint is one click away', async () => {
    await open('endpoints');
    await owner.page.getByTestId('endpoint').filter({ hasText: 'Old receiver' }).getByRole('link', { name: 'What failed' }).click();
    await owner.page.getByRole('row', { name: /503/ }).first().waitFor();
    assert.equal(await owner.page.getByRole('row', { name: /CRM/ }).count(), 0);
  });

  test('API keys: shown once, used, revoked', async () => {
    await open('keys');
    await button('Create a key').click();
    await dialog().getByLabel('Name').fill('Robot');
    await dialog().getByRole('button', { name: 'Create' }).click();
    const key = await owner.page.getByTestId('secret').innerText();
    assert.match(key, /^od_live_/);
    await dialog().getByRole('button', { name: 'Done' }).click();
    const uploads = () => fetch(`${place.url}/api/v1/uploads`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await uploads()).status, 200);
    assert.equal(await owner.page.getByText(key).count(), 0);
    await owner.page.getByRole('row', { name: /Robot/ }).getByRole('button', { name: 'Revoke' }).click();
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await owner.page.getByRole('row', { name: /Robot.*revoked/ }).waitFor();
    assert.equal((await uploads()).status, 401);
  });

  test('endpoints: a ping that fails registers nothing; edit, test, switch off, rotate, delete', async () => {
    owner.expected.push(/\/endpoints/);
    await open('endpoints');
    const { page } = owner;
    const bad = await Receiver.start();
    bad.answer = () => 500;
    await button('Add').click();
    await dialog().getByLabel('URL').fill(bad.url('/x'));
    await dialog().getByRole('button', { name: 'Register' }).click();
    await dialog()
      .getByText(/answered 500 to the ping/)
      .waitFor();
    bad.answer = () => 200;
    await dialog().getByRole('button', { name: 'Register' }).click();
    await page.getByTestId('secret').waitFor();
    await dialog().getByRole('button', { name: 'Done' }).click();
    const card = page.getByTestId('endpoint').filter({ hasText: bad.url('/x') });
    await card.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The receiver answered 200').waitFor();
    await card.getByRole('button', { name: 'Edit' }).click();
    await dialog().getByLabel('Name').fill('Renamed');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await card.getByText('Renamed').waitFor();
    await card.getByRole('button', { name: 'Switch off' }).click();
    await card.getByText('off', { exact: true }).waitFor();
    await card.getByRole('button', { name: 'Rotate secret' }).click();
    await dialog().getByRole('button', { name: 'Make a new secret' }).click();
    await page.getByTestId('secret').waitFor();
    await dialog().getByRole('button', { name: 'Done' }).click();
    await card.getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await card.waitFor({ state: 'detached' });
    await bad.stop();
  });

  test('outboundIQ’s webhooks: three at most, with headers of one’s own', async () => {
    await open('webhooks');
    for (const name of ['second', 'third']) {
      await button('Add').click();
      await dialog()
        .getByLabel('URL')
        .fill(show.receiver.url(`/${name}`));
      await dialog().getByLabel('Custom headers').fill('X-Token: abc');
      await dialog().getByRole('button', { name: 'Register' }).click();
      await owner.page.getByTestId('secret').waitFor();
      await dialog().getByRole('button', { name: 'Done' }).click();
    }
    await button('Add').and(owner.page.locator('[disabled]')).waitFor();
    assert.equal(await owner.page.getByTestId('endpoint').count(), 3);
  });

  test('a list with a wrong column is told so, and one that is given up costs nothing', async () => {
    owner.expected.push(/\/mapping/, /\/lists/);
    await open('lists');
    const { page } = owner;
    await page.locator('input[type=file]').setInputFiles(file('few.csv', csv(120)));
    await page.getByRole('heading', { name: 'few.csv' }).waitFor();
    await page.getByLabel('Column with the phone numbers').first().click();
    await page.getByRole('option', { name: 'name' }).click();
    await button('Check the numbers').click();
    await page.getByText('The list cannot be processed').waitFor();
    await page.getByText('found 0').waitFor();
    await open('lists');
    await page.locator('input[type=file]').setInputFiles(file('given-up.csv', csv(120)));
    await page.getByRole('heading', { name: 'given-up.csv' }).waitFor();
    await button('Cancel the list').click();
    await dialog().getByText('Nothing was charged yet.').waitFor();
    await dialog().getByRole('button', { name: 'Cancel the list' }).click();
    await page.getByText('Nothing was charged.').waitFor();
    await open('lists');
    await page.locator('input[type=file]').setInputFiles(file('broken.csv', 'a\0b'));
    await page.getByText(/binary data/).waitFor();
  });

  test('a campaign is made, fed with a file, and runs to its end; calls open to their transcript', async () => {
    await open('campaigns');
    const { page } = owner;
    await button('New campaign').click();
    await dialog().getByLabel('Name').fill('From the panel');
    await dialog().getByLabel('Agent').fill('agt_1');
    await dialog().getByLabel('From').fill('+442079460001');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'From the panel' }).waitFor();
    await page.locator('input[type=file]').setInputFiles(file('leads.csv', 'phone_number,name\n+447700900123,Ada\n+447700900124,Bob\n'));
    await page.getByText('2 leads created, 0 rows skipped.').waitFor();
    await page.getByText('completed', { exact: true }).first().waitFor();
    await open('calls');
    await page.getByLabel('Status', { exact: true }).first().click();
    await page.getByRole('option', { name: 'completed' }).click();
    await page.getByRole('button', { name: 'Details' }).first().click();
    await dialog().getByText('this is a simulated call').waitFor();
    await page.keyboard.press('Escape');
  });

  test('a campaign that waits is paused, resumed and cancelled; a file with a bad row is refused whole', async () => {
    owner.expected.push(/upload-file/);
    await open('campaigns');
    const { page } = owner;
    await button('New campaign').click();
    await dialog().getByLabel('Name').fill('Next year');
    await dialog().getByLabel('Agent').fill('agt_1');
    await dialog().getByLabel('From').fill('+442079460001');
    await dialog().getByLabel('Start').fill('2099-01-01T09:00');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Next year' }).waitFor();
    await page.locator('input[type=file]').setInputFiles(file('leads.csv', 'phone_number\n+447700900123\nnonsense\n'));
    await page.getByText(/E\.164 form.*row 3/).waitFor();
    await page.getByText('No leads here').waitFor();
    await button('Pause').click();
    await page.getByText('paused', { exact: true }).waitFor();
    await button('Resume').click();
    await page.getByText('active', { exact: true }).waitFor();
    await button('Cancel').click();
    await dialog().getByRole('button', { name: 'Cancel the campaign' }).click();
    await page.getByText('cancelled', { exact: true }).waitFor();
    assert.equal(await button('Add leads').count(), 0);
  });

  test('a call is placed by hand, and not to a number that is none', async () => {
    owner.expected.push(/\/dialnexa\/calls/);
    await open('calls');
    await button('Place a call').click();
    await dialog().getByLabel('To').fill('12');
    await dialog().getByLabel('Agent').fill('agt_by_hand');
    await dialog().getByRole('button', { name: 'Place it' }).click();
    await dialog()
      .getByText(/to_phone_number must be a phone number/)
      .waitFor();
    await dialog().getByLabel('To').fill('+447700900777');
    await dialog().getByRole('button', { name: 'Place it' }).click();
    await owner.page.getByRole('row', { name: /\+447700900777.*agt_by_hand/ }).waitFor();
  });

  test('a workflow is drawn, gets a node and an edge, and an unfinished one is not activated', async () => {
    owner.expected.push(/\/activate/);
    await open('workflows');
    const { page } = owner;
    await button('New workflow').click();
    await dialog().getByLabel('Title').fill('Short');
    await dialog().getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Short' }).waitFor();
    await button('Activate').click();
    await page.getByText('the workflow has no nodes').waitFor();
    for (const [type, label] of [
      ['TIME', 'Wait'],
      ['CONVERTED', 'Done'],
    ] as const) {
      await button('Add a node').click();
      await dialog().getByLabel('Type').first().click();
      await page.getByRole('option', { name: type }).click();
      await dialog().getByLabel('Label').fill(label);
      await dialog().getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('button', { name: new RegExp(`^${label}`) }).waitFor();
    }
    await button('Add an edge').click();
    await dialog().getByLabel('From').first().click();
    await page.getByRole('option', { name: 'Wait' }).click();
    await dialog().getByLabel('To').first().click();
    await page.getByRole('option', { name: 'Done' }).click();
    await dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('2 nodes, 1 edges').or(page.getByLabel('2 nodes, 1 edges')).waitFor();
    await button('Activate').click();
    await page.getByText('active', { exact: true }).waitFor();
  });

  test('translations are added, changed and deleted, and apply to the next dial', async () => {
    owner.expected.push(/\/custom\//);
    await open('translations');
    const { page } = owner;
    await button('Add').click();
    await dialog().getByLabel('Id').fill('cb-7');
    await dialog().getByLabel('Name').fill('Again');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog()
      .getByText(/exists already/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('row', { name: /cb-7/ }).getByRole('button', { name: 'Edit' }).click();
    await dialog().getByLabel('Name').fill('Summer');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /Summer/ }).waitFor();
    await page
      .getByRole('row', { name: /Summer/ })
      .getByRole('button', { name: 'Delete' })
      .click();
    await page.getByText('This table is empty').waitFor();
  });

  test('a member joins by invitation, sees everything, and is not offered an owner’s work; a session that is over leads to the door', async () => {
    await open('team');
    await button('Invite').click();
    await dialog().getByLabel('E-mail').fill('bob@example.com');
    await dialog().getByRole('button', { name: 'Make a link' }).click();
    await dialog().getByRole('button', { name: 'Done' }).click();
    await owner.page
      .getByRole('row', { name: /bob@example.com/ })
      .getByRole('button', { name: 'New link' })
      .click();
    const link = await owner.page.getByTestId('secret').innerText();
    await dialog().getByRole('button', { name: 'Done' }).click();
    const member = await Visitor.arrive(browser);
    await member.page.goto(link);
    await member.page.getByRole('heading', { name: 'Join North Star' }).waitFor();
    await member.page.getByText('bob@example.com was invited as a member.').waitFor();
    await member.page.getByLabel('Name').fill('Bob');
    await member.page.getByLabel('Password').first().fill('a long enough password');
    await member.page.getByRole('button', { name: 'Join' }).click();
    await member.page.getByRole('heading', { name: 'Overview' }).waitFor();
    await member.open(place.url + show.pages.keys!);
    assert.ok(await member.page.getByRole('button', { name: 'Create a key' }).isDisabled());
    await member.open(place.url + show.pages.endpoints!);
    assert.equal(await member.page.getByRole('button', { name: 'Delete' }).count(), 0);
    member.expected.push(/\/panel\//);
    await member.open(place.url + show.pages.account!);
    await member.page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await member.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await member.page.goto(place.url + show.pages.lists);
    await member.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await member.page.getByLabel('E-mail').fill('bob@example.com');
    await member.page.getByLabel('Password').first().fill('not this one');
    await member.page.getByRole('button', { name: 'Sign in' }).click();
    await member.page.getByText('E-mail or password is wrong.').waitFor();
    await member.page.getByLabel('Password').first().fill('a long enough password');
    await member.page.getByRole('button', { name: 'Sign in' }).click();
    await member.page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.deepEqual(member.errors, []);
    await member.leave();
    await open('team');
    await owner.page.getByRole('row', { name: /Bob/ }).getByRole('button', { name: 'Remove' }).click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await owner.page.getByRole('row', { name: /Bob/ }).waitFor({ state: 'detached' });
  });

  test('an e-mail and a password are chosen, and a short one is not taken', async () => {
    await open('account');
    const { page } = owner;
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').first().fill('short');
    await button('Save').click();
    await open('account');
    await page.getByText('You are signed in by a link.').waitFor();
    await page.getByLabel('E-mail').fill('ada@example.com');
    await page.getByLabel('Password').first().fill('a long enough password');
    await button('Save').click();
    await page.getByText('You are signed in by a link.').waitFor({ state: 'detached' });
  });

  test('without a network the page says so, and goes on when it is back', async () => {
    owner.expected.push(/ERR_INTERNET_DISCONNECTED/);
    await open('deliveries');
    await owner.context.setOffline(true);
    await owner.page.getByText('offline', { exact: true }).waitFor();
    await owner.page.getByRole('link', { name: 'Team' }).click();
    await owner.page.getByText('The server cannot be reached').first().waitFor();
    await owner.context.setOffline(false);
    await owner.page.getByRole('region', { name: 'Members' }).waitFor();
    assert.deepEqual(owner.errors, []);
  });
});

test(
  'a new user goes from the printed link to a verified delivery by clicking, in less than two minutes',
  { timeout: 150_000 },
  async (t) => {
    const place = await freshPlace('embedded');
    const receiver = await Receiver.start();
    const browser = await launchBrowser();
    const server = await ServerProcess.start({ ...place.env, PORT: String(await freePort()) }, 'dev');
    t.after(async () => {
      await browser.close();
      await server.stop();
      await receiver.stop();
      await place.remove();
    });
    const [link] = await eventually('the link is printed', () => /http:\S+\/sign-in#\S+/.exec(server.output));
    const began = performance.now();
    const visitor = await Visitor.arrive(browser);
    const { page } = visitor;
    await page.goto(link);
    await page.getByText('Nothing was delivered yet').waitFor();
    await page.getByRole('link', { name: 'Webhook endpoints' }).click();
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('dialog').getByLabel('URL').fill(receiver.url('/hook'));
    await page.getByRole('dialog').getByRole('button', { name: 'Register' }).click();
    const secret = await page.getByTestId('secret').innerText();
    await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'Lists' }).click();
    await page.locator('input[type=file]').setInputFiles(file('first.csv', csv(100)));
    await page.getByRole('button', { name: 'Check the numbers' }).click();
    await page.getByRole('button', { name: 'Process for 100 credits' }).click();
    await page.getByRole('button', { name: 'Download the result' }).waitFor();
    await page.getByRole('link', { name: 'Deliveries' }).click();
    await page.getByRole('link', { name: 'upload.completed' }).click();
    await page.getByRole('heading', { name: 'Delivery', exact: true }).waitFor();
    await page.getByText('delivered', { exact: true }).waitFor();
    // What really came is what the panel says that it sent, and it verifies: in the receiver's language, and on the panel's own page.
    const sent = receiver.received.find(({ body }) => body.includes('"upload.completed"'))!;
    await verify(optimaldial, { secret, body: sent.body, headers: sent.headers as Record<string, string> });
    await page.getByRole('link', { name: 'Check a signature' }).click();
    await page.getByLabel('Secret').first().fill(secret);
    await page.getByLabel('Headers').fill(`X-OptimalDial-Signature: ${String(sent.headers['x-optimaldial-signature'])}`);
    await page.getByLabel('Body').fill(sent.body);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByText('The signature verifies').waitFor();
    await page.getByLabel('Body').fill(`${sent.body} `);
    await page.getByRole('button', { name: 'Check', exact: true }).click();
    await page.getByText(/No signature matches/).waitFor();
    assert.ok(performance.now() - began < 120_000);
    assert.deepEqual(visitor.errors, []);
  },
);
