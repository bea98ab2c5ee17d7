// CPU and memory of a container, live.

import { useEffect, useState } from 'preact/hooks'
import { errorText, send } from '../../api/http'
import { namespaced } from '../../api/paths'
import { connection } from '../../api/socket'
import type { Container, Stats } from '../../api/types'
import { binaryBytes, bytes, parseTime } from '../../lib/format'
import { mirrorNamespace } from '../../store/resources'
import { Chart } from '../../ui/chart'
import { Facts } from '../../ui/controls'
import { Empty, Loading, Problem } from '../../ui/states'

// The charts show this many seconds.
const span = 180
// The stream is read again after this pause in milliseconds, when the engine did not answer.
const retryAfter = 2000

export function Charts({ container }: { container: Container }) {
  const [samples, setSamples] = useState<Stats[]>([])
  const [error, setError] = useState('')
  const running = container.status?.status === 'running' || container.status?.status === 'paused'
  const online = connection.value.state === 'open'
  const { name } = container.metadata
  useEffect(() => {
    if (!running || !online) return
    setError('')
    const abort = new AbortController()
    const add = (sample: Stats): void => setSamples((before) => [...before, sample].slice(-span))
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = (): void => {
      follow(name, add, abort.signal).catch((err: unknown) => {
        if (abort.signal.aborted) return
        setError(errorText(err))
        timer = setTimeout(read, retryAfter)
      })
    }
    read()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [name, running, online])
  const last = samples.at(-1)
  if (!running && !last) return <Empty title="The container does not run">Start it to see what it uses.</Empty>
  if (error && !last) return <Problem title="The use of CPU and memory cannot be read">{error}</Problem>
  if (!last) return <Loading what="CPU and memory" />
  return <Usage samples={samples} last={last} />
}

async function follow(name: string, add: (sample: Stats) => void, signal: AbortSignal): Promise<void> {
  const response = await send(namespaced(mirrorNamespace(), 'containers', name, 'stats'), { signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const lines = (rest + chunk.value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const sample = JSON.parse(line) as Stats & { message?: string }
      if (sample.cpu) add(sample)
      else throw new Error(sample.message ?? 'the engine has ended the stream')
    }
  }
}

const percent = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} %`

function Usage({ samples, last }: { samples: Stats[]; last: Stats }) {
  const times = samples.map((s) => (parseTime(s.time) ?? 0) / 1000)
  const cpu = samples.map((s) => s.cpu.usageNanoCores / 1e7)
  const memory = samples.map((s) => s.memory.usageBytes)
  return (
    <div class="cards">
      <article class="card" aria-labelledby="cpu-title">
        <h2 id="cpu-title">CPU</h2>
        <p class="big">{percent(cpu.at(-1) ?? 0)}</p>
        <p class="detail">of one core; the container can use {last.cpu.onlineCores}</p>
        <Chart label="CPU, percent of one core" series={{ times, values: cpu }} format={percent} span={span} most={5} />
      </article>
      <article class="card" aria-labelledby="memory-title">
        <h2 id="memory-title">Memory</h2>
        <p class="big">{binaryBytes(last.memory.usageBytes)}</p>
        <p class="detail">of at most {binaryBytes(last.memory.limitBytes)}</p>
        <Chart label="Memory" series={{ times, values: memory }} format={binaryBytes} span={span} binary />
      </article>
      <article class="card" aria-labelledby="io-title">
        <h2 id="io-title">Since the start</h2>
        <Facts
          facts={[
            { name: 'Received', value: bytes(last.network?.receivedBytes) },
            { name: 'Sent', value: bytes(last.network?.transmittedBytes) },
            { name: 'Read from disk', value: bytes(last.blockIO?.readBytes) },
            { name: 'Written to disk', value: bytes(last.blockIO?.writeBytes) },
            { name: 'Processes and threads', value: last.pids },
          ]}
        />
      </article>
    </div>
  )
}
