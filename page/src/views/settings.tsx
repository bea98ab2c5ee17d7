// The settings: a form from the schema of the App.

import { useEffect, useState } from 'preact/hooks'
import { errorText, getJSON, sendJSON } from '../api/http'
import { appPath } from '../api/paths'
import { connection } from '../api/socket'
import type { App } from '../api/types'
import { engine, waitsFor } from '../lib/app'
import { capital, count } from '../lib/format'
import { effect, fields, patch, read, toText, type Field, type Schema } from '../lib/schema'
import { app as currentApp, apps } from '../store/resources'
import { announce } from '../ui/announce'
import { Button, Status } from '../ui/controls'
import { Loading, Problem, Stale, isOld } from '../ui/states'
import { SettingField } from './settingfield'

// readFields reads the form from the API, so that a newer daemon has its newer properties.
async function readFields(): Promise<Field[]> {
  const document = await getJSON<{ components: { schemas: Record<string, Schema> } }>('/openapi/v3/apis/app.rancherdesktop.io/v1alpha1')
  const app = Object.entries(document.components.schemas).find(([name]) => name.endsWith('.App'))?.[1]
  const spec = app?.properties?.spec
  if (!spec) throw new Error('the schema of the App has no spec')
  return fields(spec.allOf?.[0] ?? spec)
}

const titles: Record<string, string> = { containerEngine: 'Container engine', vm: 'Virtual machine and driver', '': 'Instance' }

export function Settings() {
  const [all, setAll] = useState<Field[]>()
  const [error, setError] = useState('')
  const app = currentApp()
  const online = connection.value.state === 'open'
  useEffect(() => {
    if (!online || all) return
    setError('')
    readFields()
      .then(setAll)
      .catch((err: unknown) => setError(errorText(err)))
  }, [online])
  return (
    <section class="view" aria-labelledby="title">
      <header class="head">
        <h1 id="title">Settings</h1>
        <Stale />
      </header>
      {error && (
        <Problem title="The settings cannot be read" next={<>On the command line, “rdd set --help” lists them.</>}>
          {error}
        </Problem>
      )}
      {(!all || !app) && !error && <Loading what="the settings" />}
      {all && app && <Form all={all} app={app} />}
    </section>
  )
}

function Form({ all, app }: { all: Field[]; app: App }) {
  const [changed, setChanged] = useState(new Map<string, string>())
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const set = (f: Field, text: string): void => {
    const next = new Map(changed)
    if (text === current(f, app)) next.delete(f.path)
    else next.set(f.path, text)
    setChanged(next)
  }
  const save = async (): Promise<void> => {
    setBusy(true)
    setError('')
    try {
      const spec = patch(all, changed, app.spec)
      apps().set(await sendJSON<App>('PATCH', `${appPath}/app`, { spec }, 'application/merge-patch+json'))
      setChanged(new Map())
      announce('The settings are saved')
    } catch (err) {
      setError(errorText(err))
    } finally {
      setBusy(false)
    }
  }
  const groups = new Map<string, Field[]>()
  for (const f of all) {
    const group = f.path.includes('.') ? f.path.slice(0, f.path.indexOf('.')) : ''
    groups.set(group, [...(groups.get(group) ?? []), f])
  }
  return (
    <form
      class={isOld(apps().phase.value) ? 'settings stale' : 'settings'}
      onSubmit={(event) => {
        event.preventDefault()
        if (changed.size > 0) void save()
      }}
    >
      <State app={app} />
      {[...groups].map(([group, list]) => (
        <fieldset key={group} class="card">
          <legend>{titles[group] ?? capital(group)}</legend>
          {list.map((f) => (
            <SettingField key={f.path} field={f} text={changed.get(f.path) ?? current(f, app)} changed={changed.has(f.path)} onInput={(text) => set(f, text)} />
          ))}
        </fieldset>
      ))}
      {(changed.size > 0 || error) && <Changes all={all} changed={changed} app={app} error={error} busy={busy} onSave={() => void save()} onRevert={() => setChanged(new Map())} />}
    </form>
  )
}

function current(f: Field, app: App): string {
  return toText(f.type, read(app.spec, f.path))
}

// State says whether the last change is applied.
function State({ app }: { app: App }) {
  const waiting = waitsFor(app)
  const state = engine(app)
  return (
    <p class="summary" role="status">
      {waiting ? <Status tone={state.tone === 'bad' ? 'bad' : 'busy'}>Not applied yet: {waiting}</Status> : <Status tone="good">All settings are applied</Status>}
    </p>
  )
}

interface ChangesProps {
  all: Field[]
  changed: Map<string, string>
  app: App
  error: string
  busy: boolean
  onSave: () => void
  onRevert: () => void
}

// Changes lists what a save changes, and what that restarts.
function Changes({ all, changed, app, error, busy, onSave, onRevert }: ChangesProps) {
  const running = app.spec.running === true
  return (
    <div class="changes" role="region" aria-label="Changes">
      <strong>{count(changed.size, 'change')}</strong>
      <ul>
        {all
          .filter((f) => changed.has(f.path))
          .map((f) => (
            <li key={f.path}>
              <code>{f.path}</code> {effect(f.path, app.status?.vm?.driver, running)}
            </li>
          ))}
      </ul>
      {error && <Problem title="The settings are not saved">{error}</Problem>}
      <div class="actions">
        <Button label="Revert" onClick={onRevert} />
        <Button label="Save" kind="primary" busy={busy} disabled={changed.size === 0} onClick={onSave} />
      </div>
    </div>
  )
}
