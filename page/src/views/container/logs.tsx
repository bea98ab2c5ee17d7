// The log of a container, with follow, search and time.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { connection } from '../../api/socket'
import type { Container } from '../../api/types'
import { containerName, isRunning } from '../../lib/containers'
import { count } from '../../lib/format'
import { find, type LogLine } from '../../lib/log'
import { Check, Search, Select } from '../../ui/controls'
import { Icon } from '../../ui/icons'
import { Empty, Loading } from '../../ui/states'
import { LogView, logText } from './loglines'
import { readLog, type LogState } from './logstream'

const begin: LogState = { state: 'loading', lines: [], dropped: 0 }

export function Logs({ container }: { container: Container }) {
  const [follow, setFollow] = useState(true)
  const [times, setTimes] = useState(false)
  const [wrap, setWrap] = useState(true)
  const [since, setSince] = useState('0')
  const [stream, setStream] = useState('')
  const [search, setSearch] = useState('')
  const [only, setOnly] = useState(false)
  const [log, setLog] = useState(begin)
  const { name } = container.metadata
  const online = connection.value.state === 'open'
  // A log that was read to its end continues when the container starts again.
  const run = isRunning(container) ? (container.status?.startedAt ?? '') : ''
  useEffect(() => {
    if (!online) return
    return readLog({ name, follow, since: Number(since), stream, tail: 10_000 }, setLog)
  }, [name, follow, since, stream, online, run])
  const found = useMemo(() => find(log.lines, search, only), [log.lines, search, only])
  return (
    <div class="logs">
      <div class="toolbar">
        <Search label="Search the log" value={search} onInput={setSearch} />
        {search && (
          <span class="detail" role="status">
            {count(found.hits, 'line')}
          </span>
        )}
        {search && <Check label="Only these" checked={only} onChange={setOnly} />}
        <Check label="Follow" checked={follow} onChange={setFollow} />
        <Check label="Times" checked={times} onChange={setTimes} />
        <Check label="Wrap" checked={wrap} onChange={setWrap} />
        <Select label="Since" value={since} options={spans} onChange={setSince} />
        <Select label="Stream" value={stream} options={streams} onChange={setStream} />
        <Download lines={log.lines} name={containerName(container)} />
      </div>
      <Body log={log} lines={found.lines} search={search} follow={follow} times={times} wrap={wrap} container={container} />
    </div>
  )
}

const spans: [string, string][] = [
  ['0', 'the start'],
  ['300', '5 minutes'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
]
const streams: [string, string][] = [
  ['', 'both'],
  ['stdout', 'stdout'],
  ['stderr', 'stderr'],
]

interface BodyProps {
  log: LogState
  lines: LogLine[]
  search: string
  follow: boolean
  times: boolean
  wrap: boolean
  container: Container
}

function Body({ log, lines, search, follow, times, wrap, container }: BodyProps) {
  if (log.state === 'loading' && log.lines.length === 0) return <Loading what="the log" />
  if (lines.length === 0 && log.error) return <Empty title="The log cannot be read">{log.error}</Empty>
  if (lines.length === 0 && search) return <Empty title="No line has this text" />
  if (lines.length === 0) {
    return <Empty title="The log is empty">{isRunning(container) ? 'What the container writes appears here at once.' : 'The container has written nothing. It does not run.'}</Empty>
  }
  return (
    <>
      {log.dropped > 0 && <p class="detail">{count(log.dropped, 'earlier line')} not shown.</p>}
      <LogView lines={lines} search={search} follow={follow} times={times} wrap={wrap} label={`Log of ${containerName(container)}`} />
      <p class="detail" role="status">
        {log.error ?? (log.state === 'ended' && follow ? 'The log ends here: the container has ended.' : '')}
      </p>
    </>
  )
}

function Download({ lines, name }: { lines: LogLine[]; name: string }) {
  const link = useRef<HTMLAnchorElement>(null)
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([logText(lines)], { type: 'text/plain' }))
    link.current!.href = url
    link.current!.download = `${name}.log`
    link.current!.click()
    setTimeout(() => URL.revokeObjectURL(url), 1000)
  }
  return (
    <>
      <button type="button" class="button icon" aria-label="Save the log as a file" title="Save the log as a file" disabled={lines.length === 0} onClick={save}>
        <Icon name="download" />
      </button>
      <a ref={link} class="hidden" tabIndex={-1} aria-hidden="true" />
    </>
  )
}
