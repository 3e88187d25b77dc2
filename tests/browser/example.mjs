// An example app, from the form to signed in: by code and by link, in the same and in another browser.
import assert from 'node:assert/strict';
import { browser, mail, press, says, type } from './site.mjs';

const app = process.env.EXAMPLE_URL;
const chromium = await browser();

async function person() {
  const context = await chromium.createBrowserContext();
  return context.newPage();
}

async function ask(page, email) {
  await page.goto(app);
  await type(page, 'input[name="email"]', email);
  await press(page, 'Mail me a code');
  await says(page, 'Check your mail');
  return mail(email);
}

const one = await person();
const first = await ask(one, 'ada@example.com');
await type(one, 'input[name="code"]', first.otp === '000000' ? '111111' : '000000');
await press(one, 'Sign in');
await says(one, 'attempts left');
console.log('ok: a wrong code is told with the attempts that are left');
await press(one, 'Mail it again');
await says(one, 'A new mail is on its way.');
const second = await mail('ada@example.com', first.id);

const stranger = await person();
await stranger.goto(`${app}/code`);
if (await stranger.$('input[name="code"]')) {
  await type(stranger, 'input[name="code"]', second.otp);
  await press(stranger, 'Sign in');
}
assert.doesNotMatch(await stranger.content(), /Signed in as/);
await stranger.goto(app);
await says(stranger, 'Mail me a code');
console.log('ok: the right code signs nobody in, in a browser that did not ask');

await type(one, 'input[name="code"]', second.otp);
await press(one, 'Sign in');
await says(one, 'Signed in as ada@example.com');
console.log('ok: the code of the newest mail signs in');
const cookie = (await one.cookies()).find(({ name }) => name === 'shop');
assert.equal(cookie.httpOnly, true);
await press(one, 'Sign out');
await one.goto(app);
await says(one, 'Mail me a code');
console.log('ok: signing out ends the session');

const two = await person();
const { link } = await ask(two, 'grace@example.com');
const elsewhere = await person();
await elsewhere.goto(link);
await says(elsewhere, 'One more click');
await elsewhere.goto(app);
await says(elsewhere, 'Mail me a code');
console.log('ok: opening the link signs nobody in');
await elsewhere.goto(link);
await press(elsewhere, 'Sign me in');
await says(elsewhere, 'in this browser');
console.log('ok: another browser is refused where the same one is enforced');
await two.goto(link);
await press(two, 'Sign me in');
await says(two, 'Signed in as grace@example.com');
console.log('ok: the link signs in, in the browser that asked');
await two.goto(link);
await press(two, 'Sign me in');
assert.match(await two.content(), /already used/);
console.log('ok: a link is good once');
await chromium.close();
