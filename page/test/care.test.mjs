// Accessibility, themes and widths of each view.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client, launch } from './lib/browser.mjs'
import { Instance } from './lib/instance.mjs'

const timeout = 120_000
const instance = await Instance.start('pc', 'running=true')
const browser = await launch()
await instance.image('base:1')
await instance.docker('volume', 'create', 'data')
await instance.docker('run', '-d', '--name', 'web', '--label', 'com.docker.compose.project=shop', '-p', '127.0.0.1:18082:80', 'base:1')
await instance.docker('run', '-d', '--name', 'a-container-with-a-name-of-many-words-that-needs-more-room', 'base:1')
const { metadata } = await instance.container('web')
const parts = ['logs', 'shell', 'stats', 'details', 'events', 'yaml'].map((tab) => ['containers', metadata.name, tab])
const views = [...['overview', 'containers', 'images', 'volumes', 'networks', 'tree', 'settings', 'doctor'].map((view) => [view]), ...parts]

// ready waits for the content of a view.
async function ready(page, view) {
  await page.locator('main [aria-busy=true]').first().waitFor({ state: 'detached', timeout: 40_000 })
  if (view.at(-1) === 'shell') await page.locator('.xterm-rows').waitFor()
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in any view, ${colorScheme}`, { timeout }, async () => {
    const client = await Client.open(browser, instance, { colorScheme })
    for (const view of views) {
      await client.show(...view)
      await ready(client.page, view)
      await client.axe(`${view.join('/')} (${colorScheme})`)
      await client.picture(`${view.at(-1)}-${colorScheme}`)
    }
    await client.show('containers')
    await client.page.getByRole('button', { name: 'More actions for web' }).click()
    await client.axe(`a menu (${colorScheme})`)
    client.checkProblems()
    await client.close()
  })
}

for (const width of [390, 768, 1280, 2560]) {
  test(`no view is wider than ${width} pixels`, { timeout }, async () => {
    const client = await Client.open(browser, instance, { viewport: { width, height: 900 } })
    for (const view of views) {
      await client.show(...view)
      await ready(client.page, view)
      const wide = await client.page.evaluate(() => document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth)
      assert.ok(wide <= 0, `${view.join('/')} is ${wide} pixels too wide`)
      await client.picture(`${view.at(-1)}-${width}`)
    }
    await client.axe(`${width} pixels`)
    client.checkProblems()
    await client.close()
  })
}

test('the instance is removed', { timeout }, async () => {
  await browser.close()
  await instance.remove()
})
