// A person who has never seen Postern: from the printed address to a verified sign-in, with the
// dashboard and the official API. Prints `ok: …` for each sentence that holds.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { becomes, browser, call, enter, mail, mails, press, save, says, sdk, shown, type, url } from './site.mjs';

const chromium = await browser();
const page = await chromium.newPage();
const complaints = [];
// That a preview's own scripts do not run is what its frame is for.
const meant = (text) => text.startsWith('Blocked script execution') && text.includes('/dashboard/emails/templates/');
page.on('console', (message) => { if (message.type() === 'error' && !meant(message.text())) complaints.push(message.text()); });
page.on('pageerror', (error) => complaints.push(String(error)));

await enter(page, process.env.POSTERN_INVITATION);
await says(page, 'Get ready');
console.log('ok: the printed address leads to the quickstart by one button');

await page.goto(`${url}/dashboard/authentication`);
await page.click('input[value="LINK_OTP"]');
await page.waitForFunction(() => document.querySelector('#advice').innerText.includes('every browser'));
console.log('ok: what is unsafe is told before it is saved');
await type(page, '#expires_in', '10');
await press(page, 'Save');
await says(page, 'Verification code → Magic link + verification code');
const sent = await call('send', { email: 'ada@example.com', magiclink_auth_uri: 'https://app.example.com/in' });
assert.equal(sent.passwordless_type, 'LINK_OTP');
assert.equal(sent.expires_in, 600);
console.log('ok: a saved setting is in force for the API');

await page.goto(`${url}/dashboard/applications`);
await type(page, '#name', 'Shop <script>document.title="x"</script>');
await press(page, 'Create');
await says(page, 'Copy the secret now');
const held = await shown(page);
assert.match(held.SCALEKIT_CLIENT_SECRET, /^pcs_/);
await page.goto(`${url}/dashboard/applications`);
await says(page, 'Shop <script>');
assert.equal(await page.title(), 'Applications · Postern');
console.log('ok: credentials are made and shown once, and their name is text');

const app = sdk(held.SCALEKIT_CLIENT_ID, held.SCALEKIT_CLIENT_SECRET);
const asked = await app.passwordless.sendPasswordlessEmail('sdk@example.com', { magiclinkAuthUri: 'https://app.example.com/in' });
assert.equal(asked.expiresIn, 600);
const code = (await mail('sdk@example.com')).otp;
const proved = await app.passwordless.verifyPasswordlessEmail({ code }, asked.authRequestId);
assert.equal(proved.email, 'sdk@example.com');
console.log('ok: the official SDK signs somebody in with these credentials and settings');

/** Runs what the page offers to copy as it is, and types what the mail to its reader holds. */
async function pasted(stack, [command, ...words], typed) {
  await page.goto(`${url}/dashboard/quickstart?stack=${stack}`);
  const code = await page.$eval('#code', (pre) => pre.innerText);
  const before = (await mails('owner@example.com')).at(-1)?.id ?? '';
  const env = { ...process.env, SCALEKIT_CLIENT_SECRET: held.SCALEKIT_CLIENT_SECRET };
  const running = spawn(command, [...words, code], { env, cwd: new URL('../sdk/node/', import.meta.url), timeout: 30000 });
  const said = [];
  running.stdout.on('data', (text) => said.push(text));
  running.stderr.on('data', (text) => said.push(text));
  const sent = await mail('owner@example.com', before);
  assert.ok(sent.link.startsWith('http://localhost:3000/in?link_token='));
  running.stdin.end(`${sent[typed]}\n`);
  await new Promise((ended) => { running.on('close', ended); });
  assert.match(said.join(''), /again\): [^]*owner@example\.com/, stack);
}
await pasted('node', ['node', '--input-type=module', '-e'], 'otp');
await pasted('curl', ['bash', '-c'], 'link');
console.log('ok: the code that is copied signs its reader in as it is, with the settings made before');

await page.goto(`${url}/dashboard/quickstart?stack=python`);
await says(page, 'send_passwordless_email');
await type(page, '#trial-email', 'trial@example.com');
await page.click('form[action="/dashboard/quickstart/send"] button');
await page.waitForSelector('#trial-code');
await says(page, 'Mail taken by');
const { otp } = await mail('trial@example.com');
await page.type('#trial-code', otp);
await page.click('form[action="/dashboard/quickstart/verify"] button');
await says(page, 'Verified: your app would sign in trial@example.com now.');
console.log('ok: a trial mail shows its steps as they happen and is verified');
assert.match(await page.$eval('#code', (pre) => pre.innerText), new RegExp(`${url}[^]*skc_`));
await type(page, '#trial-email', 'link@example.com');
await page.click('form[action="/dashboard/quickstart/send"] button');
await page.waitForSelector('#trial-code');
await page.goto((await mail('link@example.com')).link);
await press(page, 'Verify this link');
await says(page, 'Verified: your app would sign in link@example.com now.');
console.log('ok: the link of a trial mail leads back and is verified by a button');

await page.goto(`${url}/dashboard/emails/templates/signin_link_otp`);
const source = (id, text) => page.$eval(`#${id}`, (area, value) => {
  area.value = value;
  area.dispatchEvent(new Event('input', { bubbles: true }));
}, text);
const preview = (answer) => answer.url().endsWith('/signin_link_otp/html') && answer.request().method() === 'POST';
const [typed] = await Promise.all([
  page.waitForResponse(preview),
  source('html', '<p>Willkommen {{ user_name }}: {{ otp }}</p><script>parent.document.title = "x"</script>'),
]);
assert.match(await typed.text(), /Willkommen Ada: 731904/);
await page.waitForFunction(() => document.querySelector('#findings').innerText.includes('the link is not in every mail'));
for (const [width, height] of [[1280, 900], [360, 740]]) {
  await page.setViewport({ width, height });
  await page.focus('#html');
  await page.waitForFunction(() => {
    const told = document.querySelector('#findings strong').getBoundingClientRect();
    return told.top > 0 && told.bottom < innerHeight;
  });
}
await page.setViewport({ width: 1280, height: 900 });
console.log('ok: what lint found is in sight while somebody types, on a phone too');
await press(page, 'Keep as a draft');
await says(page, 'Kept as a draft; it is not in force.');
assert.match(await page.$eval('.note.warn[role="alert"]', (note) => note.innerText), /the link is not in every mail/);
await page.click('.note.warn a[href="#html"]');
assert.equal(await page.evaluate(() => document.activeElement.id), 'html');
console.log('ok: a draft with errors says what keeps it from being in force, and leads there');
const [asText] = await Promise.all([page.waitForResponse(preview), page.click('input[name="view"][value="text"]')]);
assert.match(await asText.text(), /<pre.*731904/s);
assert.equal(await page.title(), 'Sign-in: magic link + code · Postern');
await page.waitForFunction(() => document.querySelectorAll('.stage iframe').length === 1);
const kept = await page.evaluateHandle(() => document.querySelector('.stage iframe'));
const [unfinished] = await Promise.all([page.waitForResponse(preview), source('html', '<p>{{ otp')]);
assert.equal(unfinished.status(), 204);
await page.waitForFunction(() => document.querySelector('#findings').innerText.includes('html, line 1'));
assert.deepEqual(await page.$$eval('.stage iframe:not(.coming)', (frames) => frames.length), 1);
assert.equal(await kept.evaluate((frame) => frame.isConnected), true);
assert.match(await (await kept.asElement().contentFrame()).$eval('pre', (pre) => pre.innerText), /731904/);
console.log('ok: in the middle of a word the preview keeps the last mail that could be filled');
await source('html', '<p>Willkommen {{ otp }}</p><p><a href="{{ link }}">Weiter</a> {{ link }}</p>');
await page.waitForFunction(() => document.querySelector('#findings').innerText.includes('Nothing is wrong'));
await press(page, 'Save and put in force');
await says(page, 'Custom, version 2');
await call('send', { email: 'grace@example.com', magiclink_auth_uri: 'https://app.example.com/in' });
assert.match((await mail('grace@example.com')).html, /^<p>Willkommen \d{6}/);
await press(page, 'Revert to what was before');
await says(page, 'Reverted.');
console.log('ok: a template is edited with a live preview and lint, mailed, and reverted');

await page.goto(`${url}/dashboard/logs`);
await call('send', { email: 'late@example.com', magiclink_auth_uri: 'https://app.example.com/in' });
await says(page, 'late@example.com');
console.log('ok: a new request appears in the open log by itself');
await page.goto(`${url}/dashboard/inbox`);
await call('send', { email: 'newest@example.com', magiclink_auth_uri: 'https://app.example.com/in' });
await says(page, 'newest@example.com');
console.log('ok: a new mail appears in the open inbox by itself');
await page.goto(`${url}/dashboard/logs/why?email=late@example.com`);
await becomes(page, 'The mail was taken: it is in the development inbox');
console.log('ok: why somebody got no mail is answered');

await page.goto(`${url}/dashboard`);
const buttons = () => page.$$eval('.me .theme button', (all) => all.filter((one) => one.checkVisibility()).map((one) => one.innerText));
assert.deepEqual(await buttons(), ['Dark theme']);
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
assert.deepEqual(await buttons(), ['Light theme']);
const theme = async () => {
  await Promise.all([page.waitForNavigation(), page.click('.me .theme button:not(.in-light)')]);
  return page.$eval('html', (root) => root.dataset.theme ?? 'the system’s');
};
assert.deepEqual([await theme(), await theme()], ['light', 'the system’s']);
await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
console.log('ok: the theme is the system’s until one presses the button for the other one');

await page.goto(`${url}/dashboard`);
await page.keyboard.press('Tab');
assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
await page.keyboard.press('Enter');
await page.keyboard.press('Tab');
assert.equal(await page.evaluate(() => document.activeElement.closest('main') !== null), true);
console.log('ok: the keyboard skips to the content');

const long = `${'very-long-name-'.repeat(4)}@${'sub-domain.'.repeat(5)}example.com`;
await call('send', { email: long, magiclink_auth_uri: 'https://app.example.com/in' });
await save(page, '/dashboard/suppression/add', { on: '/dashboard/suppression', address: long, note: 'a-reason-without-a-space-'.repeat(6) });
await save(page, '/dashboard/emails/callbacks', { provider: 'mailgun', secret: 'key-0123456789abcdef' });
for (const width of [1280, 360]) {
  await page.setViewport({ width, height: 800 });
  for (const path of ['/dashboard', '/dashboard/authentication', '/dashboard/logs?live=off', '/dashboard/keys', '/dashboard/quickstart', '/dashboard/emails', '/dashboard/emails/add?preset=other', '/dashboard/emails/branding', '/dashboard/emails/callbacks', '/dashboard/emails/templates', '/dashboard/emails/templates/signin_link_otp', '/dashboard/suppression', '/dashboard/logs/why?email=late@example.com', '/dashboard/admins', '/dashboard/audit', '/dashboard/applications', '/dashboard/inbox?live=off']) {
    await page.goto(url + path);
    await page.$$eval('details', (all) => all.forEach((one) => { if (!one.matches('.menu')) one.open = true; }));
    const out = await page.evaluate(() => {
      const wide = [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1);
      const named = wide.map((one) => one.getAttribute('aria-label'));
      return document.documentElement.scrollWidth > innerWidth ? [...named, 'the page'] : named;
    });
    assert.deepEqual(out, [], `${path} at ${width} pixels`);
  }
}
console.log('ok: no page and no table sticks out, at 1280 and at 360 pixels');
assert.deepEqual(complaints, []);
console.log('ok: the browser had no complaint, the content policy included');

const plain = await chromium.createBrowserContext();
const still = await plain.newPage();
// High enough that the bar with the buttons, which stays at the bottom, covers no field.
await still.setViewport({ width: 1280, height: 2600 });
// No script arrives, and the pages have none inline.
await still.setRequestInterception(true);
still.on('request', (request) => (request.resourceType() === 'script' ? request.abort() : request.continue()));
await still.goto(`${url}/dashboard/sign-in`);
await still.type('#email', 'owner@example.com');
const last = (await mails('owner@example.com')).at(-1).id;
await press(still, 'Mail me a code');
await still.type('#code', (await mail('owner@example.com', last)).otp);
await press(still, 'Sign in');
await still.goto(`${url}/dashboard/authentication`);
await still.click('#regenerate_on_resend');
await Promise.all([still.waitForNavigation(), still.click('.actions .primary')]);
assert.match(await still.content(), /on resend: <del>on<\/del>/);
console.log('ok: signing in and saving work without a script');

await page.setViewport({ width: 1280, height: 900 });
await page.goto(`${url}/dashboard/emails/branding`);
// The preview of what was typed comes before the session ends: one that came after would lead to the sign-in by itself.
const previewed = (answer) => decodeURIComponent(answer.url().replaceAll('+', ' ')).includes('Typed too late');
await Promise.all([page.waitForResponse(previewed), type(page, '#app_name', 'Typed too late')]);
await page.deleteCookie(...(await page.cookies()));
await press(page, 'Save');
await says(page, 'Your session had ended');
const earlier = (await mails('owner@example.com')).at(-1).id;
await type(page, '#email', 'owner@example.com');
await press(page, 'Mail me a code');
await page.type('#code', (await mail('owner@example.com', earlier)).otp);
await press(page, 'Sign in');
await says(page, 'What you sent last was not saved.');
await page.click('::-p-xpath(//button[normalize-space()="Put it back"])');
assert.equal(await page.$eval('#app_name', (input) => input.value), 'Typed too late');
await press(page, 'Save');
await says(page, 'Typed too late');
await page.goto(`${url}/dashboard/emails/branding`);
assert.equal(await page.$('.note.warn.row'), null);
console.log('ok: what is sent after a session has ended is put back after signing in');
await chromium.close();
