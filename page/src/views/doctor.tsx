// The findings of rdd doctor, and the support bundle.

import { useEffect, useState } from 'preact/hooks'
import { errorText, getJSON } from '../api/http'
import { connection } from '../api/socket'
import type { Finding, Report } from '../api/types'
import type { Tone } from '../lib/containers'
import { localTime } from '../lib/format'
import { Button, Status } from '../ui/controls'
import { Icon } from '../ui/icons'
import { Loading, Problem, Stale } from '../ui/states'

export function Doctor() {
  const [report, setReport] = useState<Report>()
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const online = connection.value.state === 'open'
  const run = (): void => {
    setBusy(true)
    setError('')
    getJSON<Report>('/doctor')
      .then(setReport)
      .catch((err: unknown) => setError(errorText(err)))
      .finally(() => setBusy(false))
  }
  useEffect(() => {
    if (online && !report) run()
  }, [online])
  return (
    <section class="view" aria-labelledby="title">
      <header class="head">
        <h1 id="title">Doctor</h1>
        {report && <p class="summary">{report.healthy ? 'No problem found' : 'There are findings'}</p>}
        <Stale />
        <div class="tools">
          <Button label="Check again" icon="restart" busy={busy} onClick={run} />
        </div>
      </header>
      {error && (
        <Problem title="The checks could not run" next={<>Run “rdd doctor” in a terminal. It also works without the daemon.</>}>
          {error}
        </Problem>
      )}
      {!report && !error && <Loading what="the checks, which take up to ten seconds" />}
      {report && <Findings report={report} />}
      <Bundle />
    </section>
  )
}

const tones: Record<Finding['state'], Tone> = { ok: 'good', finding: 'bad', unchecked: 'warn', skipped: 'off' }

function Findings({ report }: { report: Report }) {
  const rank = (f: Finding): number => ['finding', 'unchecked', 'ok', 'skipped'].indexOf(f.state)
  const sorted = [...report.checks].sort((a, b) => rank(a) - rank(b))
  return (
    <article class="card" aria-labelledby="checks-title">
      <h2 id="checks-title">Checks of {localTime(report.time)}</h2>
      <ul class="checks">
        {sorted.map((f) => (
          <li key={f.check}>
            <Status tone={tones[f.state]}>
              {f.check}: {f.state}
            </Status>
            <p class="message">{f.text}</p>
            {f.next && <p class="next">What to do: {f.next}</p>}
          </li>
        ))}
      </ul>
    </article>
  )
}

function Bundle() {
  return (
    <article class="card" aria-labelledby="bundle-title">
      <h2 id="bundle-title">Support bundle</h2>
      <p>A file for a bug report: logs, the supervision tree, resources, and the state of engine and machine. It takes up to half a minute.</p>
      <p class="detail">Secrets with a known form are removed. Names of containers, images and paths are kept: review the file before you share it.</p>
      <p>
        <a class="button" href="/support-bundle" download>
          <Icon name="download" />
          Download
        </a>
      </p>
    </article>
  )
}
