// The App: the engine, its VM, and what is not settled.

import type { App, Event } from '../api/types'
import { engine, isRefused, waitsFor } from '../lib/app'
import { age, bytes, count, parseTime } from '../lib/format'
import { diskSize } from '../lib/usage'
import { sending, setRunning } from '../store/actions'
import { now } from '../store/clock'
import { app as currentApp, appEvents, apps, containers, images, networks, session, volumes } from '../store/resources'
import { Button, Facts, Status } from '../ui/controls'
import { Icon } from '../ui/icons'
import { href } from '../ui/router'
import { Content, Problem, Stale, isOld } from '../ui/states'
import { Refusal } from './refusal'

export function Overview() {
  const app = currentApp()
  const phase = apps().phase.value
  return (
    <section class="view" aria-labelledby="title">
      <header class="head">
        <h1 id="title">Overview</h1>
        <Stale />
      </header>
      <Content phase={phase} what="state of the engine">
        {app && (
          <div class={isOld(phase) ? 'cards stale' : 'cards'}>
            <EngineCard app={app} />
            <Counts />
            <Conditions app={app} />
            <Recent />
          </div>
        )}
      </Content>
    </section>
  )
}

function EngineCard({ app }: { app: App }) {
  const state = engine(app)
  const waiting = waitsFor(app)
  const vm = app.status?.vm
  const info = app.status?.engine
  return (
    <article class="card engine" aria-labelledby="engine-title">
      <header>
        <h2 id="engine-title">Engine</h2>
        <StartStop app={app} />
      </header>
      <p class="big" data-testid="engine-state">
        <Status tone={state.tone}>{state.title}</Status>
      </p>
      {state.text && !isRefused(app) && <p class="message">{state.text}</p>}
      {waiting && !isRefused(app) && waiting !== state.text && <p class="message">Settled waits for: {waiting}</p>}
      {isRefused(app) && (
        <Problem title="The settings cannot be applied" next={<a href={href('settings')}>Open the settings</a>}>
          {waiting}
        </Problem>
      )}
      <Refusal uid={app.metadata.uid} text="" />
      <Facts
        facts={[
          { name: 'Engine', value: [app.spec.containerEngine?.name, info?.version].filter(Boolean).join(' ') },
          { name: 'API version', value: info?.apiVersion },
          { name: 'Driver', value: vm?.driver },
          { name: 'Reason', value: vm?.driverReason },
          { name: 'Endpoint', value: vm?.endpoint && <code>{vm.endpoint}</code> },
          { name: 'Hub', value: app.status?.hub?.server && `${app.status.hub.machine ?? ''} on ${app.status.hub.server}` },
          { name: 'Instance', value: session.value?.instance },
          { name: 'rdd', value: session.value?.version },
        ]}
      />
    </article>
  )
}

function StartStop({ app }: { app: App }) {
  const desired = app.spec.running === true
  const reason = app.status?.conditions?.find((c) => c.type === 'Running')?.reason
  const busy = sending.value.has(app.metadata.uid)
  return (
    <div class="actions">
      {desired && (reason === 'StartFailed' || reason === 'Idle') && (
        <Button label={reason === 'Idle' ? 'Start now' : 'Retry now'} icon="restart" busy={busy} onClick={() => void setRunning(app, true)} />
      )}
      {desired ? (
        <Button label="Stop" icon="stop" busy={busy} onClick={() => void setRunning(app, false)} />
      ) : (
        <Button label="Start" icon="start" kind="primary" busy={busy} onClick={() => void setRunning(app, true)} />
      )}
    </div>
  )
}

function Counts() {
  const all = { containers: containers(), images: images(), volumes: volumes(), networks: networks() }
  for (const c of Object.values(all)) void c.order.value
  const running = [...all.containers.items.values()].filter((c) => c.status?.status === 'running').length
  const loading = Object.values(all).some((c) => c.phase.value.name === 'loading')
  const details: Record<string, string> = {
    containers: `${running} running`,
    images: bytes(diskSize(all.images.items.values())),
  }
  return (
    <nav class="card counts" aria-label="Objects of the engine" aria-busy={loading}>
      {Object.entries(all).map(([name, c]) => (
        <a key={name} href={href(name)}>
          <Icon name={name} />
          <span class="number">{c.items.size.toLocaleString('en')}</span>
          <span>{c.items.size === 1 ? name.slice(0, -1) : name}</span>
          <span class="detail">{details[name]}</span>
        </a>
      ))}
    </nav>
  )
}

function Conditions({ app }: { app: App }) {
  const conditions = app.status?.conditions ?? []
  return (
    <article class="card" aria-labelledby="conditions-title">
      <h2 id="conditions-title">Conditions</h2>
      <ul class="conditions">
        {conditions.map((c) => (
          <li key={c.type}>
            <Status tone={c.status === 'True' ? 'good' : c.reason === 'Stopped' ? 'off' : 'warn'}>
              {c.type}: {c.reason}
            </Status>
            <span class="detail">since {age(c.lastTransitionTime, now.value)}</span>
            {c.message && <p class="message">{c.message}</p>}
          </li>
        ))}
      </ul>
    </article>
  )
}

export function eventTime(e: Event): string | undefined {
  return e.lastTimestamp ?? e.eventTime ?? e.firstTimestamp ?? e.metadata.creationTimestamp
}

// latest sorts events, the last one first.
export function latest(events: Iterable<Event>): Event[] {
  return [...events].sort((a, b) => (parseTime(eventTime(b)) ?? 0) - (parseTime(eventTime(a)) ?? 0))
}

function Recent() {
  const all = appEvents()
  void all.version.value
  const events = latest(all.items.values()).slice(0, 8)
  return (
    <article class="card" aria-labelledby="events-title">
      <h2 id="events-title">Recent events</h2>
      <Events events={events} />
    </article>
  )
}

export function Events({ events }: { events: Event[] }) {
  if (events.length === 0) return <p class="detail">No events in the last hour.</p>
  return (
    <ul class="events">
      {events.map((e) => (
        <li key={e.metadata.uid}>
          <Status tone={e.type === 'Warning' ? 'warn' : 'off'}>{e.reason}</Status>
          <span class="detail">
            {age(eventTime(e), now.value)} ago{(e.count ?? 1) > 1 ? `, ${count(e.count ?? 1, 'time')}` : ''}
          </span>
          <p class="message">{e.message}</p>
        </li>
      ))}
    </ul>
  )
}
