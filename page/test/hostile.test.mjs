// Another site in the browser of a user who has a session.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { Client, launch } from './lib/browser.mjs'
import { Instance } from './lib/instance.mjs'

const timeout = 60_000
const instance = await Instance.start('ph')
const browser = await launch(['--host-resolver-rules=MAP evil.test 127.0.0.1'])
const client = await Client.open(browser, instance)
const site = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title>'))
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve))
const port = site.address().port
const app = '/apis/app.rancherdesktop.io/v1alpha1/apps/app'

// evil opens a page of another site in the same browser, so that the cookie is sent where
// the browser permits it.
async function evil(origin) {
  const page = await client.context.newPage()
  await page.goto(origin)
  return page
}

// Another port of this machine is the same site for a browser, and another name is not.
for (const origin of [`http://127.0.0.1:${port}`, `http://evil.test:${port}`]) {
  test(`${origin.replace(/\d+$/, 'PORT')} reads nothing`, { timeout }, async () => {
    const page = await evil(origin)
    const result = await page.evaluate(readAll, { target: client.origin, app })
    for (const [what, outcome] of Object.entries(result)) assert.equal(outcome, 'refused', what)
    await page.close()
  })

  test(`${origin.replace(/\d+$/, 'PORT')} changes nothing`, { timeout }, async () => {
    const before = await instance.rdd('ctl', 'get', 'app', 'app', '-o', 'json')
    const page = await evil(origin)
    await page.evaluate(changeAll, { target: client.origin, app })
    await page.waitForLoadState('load')
    assert.equal(await instance.rdd('ctl', 'get', 'app', 'app', '-o', 'json'), before)
    await page.close()
  })
}

// readAll runs on the other site. An outcome is refused unless something was read.
async function readAll({ target, app }) {
  const outcome = (attempt) => attempt.then((read) => (read ? 'READ' : 'refused')).catch(() => 'refused')
  const text = async (init) => (await (await fetch(target + app, init)).text()).includes('spec')
  const opaque = async () => (await fetch(target + app, { mode: 'no-cors', credentials: 'include' })).type !== 'opaque'
  const socket = () =>
    new Promise((resolve) => {
      const ws = new WebSocket(target.replace('http', 'ws') + '/watch')
      ws.onopen = () => resolve(true)
      ws.onerror = ws.onclose = () => resolve(false)
    })
  const element = (tag, attribute, url) =>
    new Promise((resolve) => {
      const e = document.createElement(tag)
      e[attribute] = url
      e.onload = () => resolve(tag !== 'iframe' || readsFrame(e))
      e.onerror = () => resolve(false)
      document.body.append(e)
    })
  const readsFrame = (frame) => {
    try {
      return frame.contentDocument.body.innerText.includes('rdd')
    } catch {
      return false
    }
  }
  return {
    fetch: await outcome(text({ credentials: 'include' })),
    'fetch with a header': await outcome(text({ credentials: 'include', headers: { Accept: 'application/json', 'X-Any': '1' } })),
    'fetch without CORS': await outcome(opaque()),
    WebSocket: await outcome(socket()),
    script: await outcome(element('script', 'src', `${target}/session`)),
    iframe: await outcome(element('iframe', 'src', `${target}/`)),
  }
}

// changeAll runs on the other site.
async function changeAll({ target, app }) {
  const body = JSON.stringify({ spec: { running: true } })
  const attempts = [
    { method: 'PATCH', headers: { 'Content-Type': 'application/merge-patch+json' } },
    { method: 'POST', headers: { 'Content-Type': 'text/plain' }, mode: 'no-cors' },
    { method: 'PUT', headers: { 'Content-Type': 'application/json' } },
    { method: 'DELETE' },
  ]
  for (const attempt of attempts) {
    await fetch(target + app, { credentials: 'include', ...attempt, ...(attempt.method === 'DELETE' ? {} : { body }) }).catch(() => undefined)
  }
  const form = document.createElement('form')
  form.method = 'POST'
  form.enctype = 'text/plain'
  form.action = `${target}/apis/containers.rancherdesktop.io/v1alpha1/namespaces/rancher-desktop/prunerequests`
  document.body.append(form)
  form.submit()
}

test('a name of another site for this machine is refused', { timeout }, async () => {
  const page = await client.context.newPage()
  const answer = await page.goto(client.origin.replace('127.0.0.1', 'evil.test') + '/')
  assert.equal(answer.status(), 403)
  await page.close()
})

test('a browser without a session gets the login, and nothing else', { timeout }, async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const answer = await page.goto(`${client.origin}/`)
  assert.equal(answer.status(), 401)
  await page.getByText(/rdd --instance ph ui/).waitFor()
  for (const path of ['/session', '/tree', '/doctor', '/metrics', app]) {
    assert.equal((await context.request.get(client.origin + path)).status(), 401, path)
  }
  await context.close()
})

test('a login works once', { timeout }, async () => {
  const login = await instance.loginURL()
  const first = await browser.newContext()
  const second = await browser.newContext()
  await (await first.newPage()).goto(login)
  assert.equal((await (await second.newPage()).goto(login)).status(), 403)
  assert.doesNotMatch(first.pages()[0].url(), /code=/)
  const cookies = await first.cookies()
  assert.deepEqual(
    cookies.map((c) => [c.httpOnly, c.sameSite]),
    [[true, 'Strict']],
  )
})

// A link on another site leads through a document without the code, because the browser
// sends no strict cookie with a redirect that began there.
for (const from of ['about:blank', `http://evil.test:${port}`, `http://127.0.0.1:${port}`]) {
  test(`no code stays in the history after a login from ${from.replace(/\d+$/, 'PORT')}`, { timeout }, async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(from)
    const login = await instance.loginURL()
    if (from === 'about:blank') await page.goto(login)
    else await page.evaluate((address) => Object.assign(document.body.appendChild(document.createElement('a')), { href: address }).click(), login)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    const devtools = await context.newCDPSession(page)
    const { entries } = await devtools.send('Page.getNavigationHistory')
    const addresses = entries.map((entry) => entry.url)
    assert.ok(addresses.includes(`${client.origin}/`), addresses.join(' '))
    assert.deepEqual(addresses.filter((address) => address.includes('code=')), [])
    await context.close()
  })
}

test('the page asks no other server', { timeout }, async () => {
  const asked = new Set()
  client.page.on('request', (request) => asked.add(new URL(request.url()).origin))
  for (const view of ['overview', 'containers', 'images', 'volumes', 'networks', 'tree', 'settings', 'doctor']) await client.show(view)
  await client.page.reload()
  assert.deepEqual([...asked], [client.origin])
})

test('the instance is removed', { timeout }, async () => {
  await browser.close()
  site.close()
  await instance.remove()
})
