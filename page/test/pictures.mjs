// Takes the pictures of the documentation: make page-pictures.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Client, launch } from './lib/browser.mjs'
import { Instance, until } from './lib/instance.mjs'

const out = 'docs/page'
const instance = await Instance.start('demo', 'running=true')
const browser = await launch(['--force-device-scale-factor=1'])
mkdirSync(out, { recursive: true })

await instance.image('nginx:1.27')
await instance.image('postgres:17')
await instance.image('redis:7')
await instance.docker('network', 'create', 'shop_default')
await compose('web-1', 'nginx:1.27', '-p', '127.0.0.1:8080:80')
await compose('web-2', 'nginx:1.27', '-p', '127.0.0.1:8081:80')
await compose('db-1', 'postgres:17', '-v', 'shop_data:/var/lib/postgresql', '--health-cmd', 'true', '--health-interval', '1s')
await compose('cache-1', 'redis:7')
await instance.docker('run', '-d', '--name', 'blog', '-p', '127.0.0.1:8090:80', 'nginx:1.27', 'sh', '-c', requests())
await instance.docker('run', '--name', 'migration', 'postgres:17', 'sh', '-c', 'exit 3').catch(() => '')
await until('a healthy database', async () => (await instance.docker('inspect', '-f', '{{.State.Health.Status}}', 'shop-db-1')) === 'healthy')

// compose runs a container as docker compose names and labels it.
function compose(service, image, ...flags) {
  const labels = ['--label', 'com.docker.compose.project=shop', '--label', `com.docker.compose.service=${service}`]
  return instance.docker('run', '-d', '--name', `shop-${service}`, '--network', 'shop_default', ...labels, ...flags, image)
}

// requests returns a script that logs requests, as a web server does.
function requests() {
  const line = '\\033[32m200\\033[0m GET /posts/$i \\033[2m$((i % 40 + 3)) ms\\033[0m'
  const missing = '\\033[33m404\\033[0m GET /favicon.ico \\033[2m1 ms\\033[0m'
  return `i=0; while true; do echo -e "${line}"; [ $((i % 7)) = 0 ] && echo -e "${missing}"; i=$((i+1)); [ $i -lt 60 ] || sleep 1; done`
}

async function take(name, colorScheme, ...view) {
  const client = await Client.open(browser, instance, { colorScheme, viewport: { width: 1200, height: 680 } })
  await client.show(...view)
  await client.page.locator('main [aria-busy=true]').first().waitFor({ state: 'detached' })
  await client.page.evaluate(() => document.fonts.ready)
  await client.page.waitForLoadState('networkidle').catch(() => undefined)
  await client.page.screenshot({ path: join(out, `${name}.png`) })
  await client.close()
}

const blog = await instance.container('blog')
await take('containers', 'light', 'containers')
await take('overview-dark', 'dark', 'overview')
await take('tree', 'light', 'tree')
await take('logs', 'dark', 'containers', blog.metadata.name, 'logs')
await browser.close()
await instance.remove()
process.exit(0)
