// The instance of rdd under test. Its home is RDD_TEST_HOME, which run.sh makes and removes.

import { execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const home = process.env.RDD_TEST_HOME
const bin = process.env.RDD_TEST_BIN
if (!home || !bin) throw new Error('RDD_TEST_HOME and RDD_TEST_BIN are not set: run the tests with page/test/run.sh')

export const env = {
  ...process.env,
  HOME: home,
  RDD_YES: '1',
  DOCKER_CONFIG: join(home, '.docker'),
}
for (const name of ['DOCKER_HOST', 'DOCKER_CONTEXT', 'KUBECONFIG', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR']) delete env[name]

// until waits for a result of check that is not false or undefined.
export async function until(what, check, patience = 30_000) {
  const deadline = Date.now() + patience
  for (;;) {
    const result = await check()
    if (result) return result
    if (Date.now() > deadline) throw new Error(`${what}: not within ${patience / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export class Instance {
  constructor(name) {
    this.env = { ...env, RDD_INSTANCE: name }
  }

  // start starts a daemon, and sets properties of its App.
  static async start(name, ...properties) {
    const instance = new Instance(name)
    await instance.rdd('svc', 'start')
    if (properties.length > 0) await instance.rdd('set', ...properties)
    instance.socket = await instance.rdd('svc', 'paths', 'docker_socket')
    return instance
  }

  async rdd(...args) {
    const { stdout } = await run(join(bin, 'rdd'), args, { env: this.env, maxBuffer: 1 << 26, timeout: 120_000 })
    return stdout.trim()
  }

  async docker(...args) {
    const { stdout } = await run('docker', ['-H', `unix://${this.socket}`, ...args], { env: this.env, timeout: 60_000 })
    return stdout.trim()
  }

  async pid() {
    return Number(readFileSync(await this.rdd('svc', 'paths', 'pid_file'), 'utf8').split(/\s/)[0])
  }

  // signal sends a signal to the daemon only. Its engine keeps running.
  async signal(name) {
    process.kill(await this.pid(), name)
  }

  // killEngine kills the dockerd of this instance. Its containers keep running.
  async killEngine() {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const words = readCommand(pid)
      if (/dockerd$/.test(words[0]) && words.some((word) => word.includes(`${home}/`))) process.kill(Number(pid), 'SIGKILL')
    }
  }

  loginURL() {
    return this.rdd('ui', '--print')
  }

  // image makes an image with busybox, whose containers run until they are stopped.
  async image(tag, ...changes) {
    const tar = await rootfs()
    const command = 'CMD ["/bin/sh", "-c", "trap exit TERM; while true; do echo tick; sleep 1 & wait $!; done"]'
    return this.docker('import', '-c', command, ...changes.flatMap((change) => ['-c', change]), tar, ...(tag ? [tag] : []))
  }

  // container returns the resource of a container with this name in the engine.
  async container(name) {
    const list = JSON.parse(await this.rdd('ctl', 'get', 'containers', '-o', 'json'))
    return list.items.find((c) => c.status?.name === name)
  }

  async remove() {
    await this.rdd('svc', 'delete')
  }
}

// readCommand returns the words of a process, which can have ended.
function readCommand(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return ['']
  }
}

async function rootfs() {
  const tar = join(home, 'rootfs.tar')
  if (existsSync(tar)) return tar
  const root = join(home, 'rootfs')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'tmp'))
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  for (const applet of ['sh', 'sleep', 'true', 'false', 'cat', 'echo', 'ls', 'seq', 'stty']) symlinkSync('busybox', join(root, 'bin', applet))
  await run('tar', ['-C', root, '-cf', tar, '.'])
  return tar
}

// SimulatedEngine is an engine with any number of objects.
export class SimulatedEngine {
  static async start(flags) {
    const engine = new SimulatedEngine()
    engine.process = spawn(process.env.RDD_TEST_SIMENGINE, flags, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: engine.process.stdout })[Symbol.asyncIterator]()
    engine.line = async () => (await lines.next()).value
    engine.endpoint = await engine.line()
    engine.socket = engine.endpoint.replace('unix://', '')
    return engine
  }

  async command(text) {
    this.process.stdin.write(text + '\n')
    const answer = await this.line()
    if (answer !== 'done') throw new Error(answer)
  }

  // post calls the API of the engine, and returns when it has answered.
  post(path) {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.socket, path, method: 'POST' }, (response) => {
        response.resume()
        response.on('end', () => (response.statusCode < 300 ? resolve() : reject(new Error(`${path}: status ${response.statusCode}`))))
      })
      call.on('error', reject)
      call.end()
    })
  }

  stop() {
    this.process.stdin.end()
  }
}
