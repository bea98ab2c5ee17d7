// The daemon and the engine fail under an open page.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, launch } from './lib/browser.mjs'
import { Instance, until } from './lib/instance.mjs'

const timeout = 120_000
const instance = await Instance.start('pf', 'running=true')
const browser = await launch()
await instance.image('base:1')
await instance.docker('run', '-d', '--name', 'web', 'base:1')
const client = await Client.open(browser, instance)
const { page } = client
const warning = page.getByRole('alert').filter({ hasText: 'The daemon has not answered since' })

// within fails if a condition is not met in time.
async function within(ms, what, met) {
  const begin = Date.now()
  await met()
  const took = Date.now() - begin
  assert.ok(took <= ms, `${what} took ${took} ms`)
}

test('a killed daemon is reported within two seconds, and its data stays', { timeout }, async () => {
  await client.show('containers')
  await client.row(/^web/).getByText(/^Up /).waitFor()
  await instance.signal('SIGKILL')
  await within(2000, 'the report', () => warning.waitFor())
  await page.getByText(/^as of \d\d:\d\d:\d\d$/).waitFor()
  await client.row(/^web/).getByText(/^Up /).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Stop web' }).isDisabled(), true)
  await client.axe('a page without a daemon')
  await client.picture('disconnected')
})

test('other views say the same, with what they know', { timeout }, async () => {
  for (const view of ['overview', 'images', 'volumes', 'networks', 'tree', 'settings', 'doctor']) {
    await page.evaluate((hash) => (location.hash = hash), `#/${view}`)
    await page.locator('h1').waitFor()
    await warning.waitFor()
  }
  await page.evaluate(() => (location.hash = '#/containers'))
})

test('the page returns by itself with a new daemon', { timeout }, async () => {
  await instance.rdd('svc', 'start')
  await warning.waitFor({ state: 'detached' })
  await page.getByText(/^as of/).waitFor({ state: 'detached' })
  await instance.docker('stop', '-t', '0', 'web')
  await client.row(/^web/).getByText(/^Exited/).waitFor()
  await page.getByRole('button', { name: 'Start web' }).click()
  await client.row(/^web/).getByText(/^Up /).waitFor()
})

test('what the page knows about the daemon is read again when it returns', { timeout }, async () => {
  const version = 'v0-of-the-next-daemon'
  await page.route('**/session', async (request) => {
    const response = await request.fetch().catch(() => null)
    if (response === null) {
      await request.abort('connectionrefused') // the daemon is away
      return
    }
    await request.fulfill({ response, json: { ...(await response.json()), version } })
  })
  await instance.rdd('svc', 'restart')
  await client.show('overview')
  await page.getByText(version).waitFor()
  await page.unroute('**/session')
  await client.show('containers')
  await client.row(/^web/).getByText(/^Up /).waitFor()
})

test('what changed while the daemon was away is there afterwards', { timeout }, async () => {
  await instance.docker('run', '-d', '--name', 'leaver', 'base:1')
  await client.row(/^leaver/).waitFor()
  await instance.signal('SIGKILL')
  await warning.waitFor()
  await instance.docker('rm', '-f', 'leaver')
  await instance.docker('run', '-d', '--name', 'comer', 'base:1')
  await instance.rdd('svc', 'start')
  await client.row(/^comer/).waitFor()
  await client.row(/^leaver/).waitFor({ state: 'detached' })
})

test('a daemon that hangs is reported, and continues', { timeout }, async () => {
  // The interval between two probes, and the two seconds.
  await instance.signal('SIGSTOP')
  try {
    await within(3000, 'the report', () => warning.waitFor())
  } finally {
    await instance.signal('SIGCONT')
  }
  await warning.waitFor({ state: 'detached' })
  await client.row(/^web/).getByText(/^Up /).waitFor()
})

test('a restart of the daemon keeps the session, the log and the view', { timeout }, async () => {
  await page.getByRole('link', { name: 'web', exact: true }).click()
  await page.getByRole('log').getByText('tick').first().waitFor()
  await instance.rdd('svc', 'restart')
  await warning.waitFor({ state: 'detached' })
  await until('new lines', async () => {
    const before = await page.getByRole('log').locator('.line').last().getAttribute('data-index')
    await page.waitForTimeout(1500)
    return before !== (await page.getByRole('log').locator('.line').last().getAttribute('data-index'))
  })
})

test('an engine that is killed is reported, and its containers return', { timeout }, async () => {
  await client.show('overview')
  const engine = page.getByTestId('engine-state')
  await engine.getByText('Running', { exact: true }).waitFor()
  await instance.killEngine()
  await page.getByText('EngineDisconnected').first().waitFor()
  await engine.getByText('Running', { exact: true }).waitFor({ timeout: 60_000 })
  await client.show('containers')
  await client.row(/^web/).getByText(/^(Up|Exited)/).waitFor({ timeout: 60_000 })
})

test('an actor that fails appears in the history of failures', { timeout }, async () => {
  await client.show('tree')
  await page.getByText('root/engine/session').first().waitFor()
  await client.picture('failures')
})

test('a revoked session says what to run', { timeout }, async () => {
  await instance.rdd('ui', '--revoke')
  await page.getByRole('heading', { name: 'This browser is not signed in' }).waitFor()
  await page.getByText('rdd --instance pf ui').waitFor()
  await client.axe('a page without a session')
})

test('nothing was refused by the browser', async () => {
  client.checkProblems()
})

test('the instance is removed', { timeout }, async () => {
  await browser.close()
  await instance.remove()
})
